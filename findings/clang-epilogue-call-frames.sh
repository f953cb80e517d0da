#!/usr/bin/env bash
# clang 14 for RISC-V describes prologues in its call-frame information, but no epilogue: behind `addi sp,sp,N` and the
# loads of ra and s0, up to `ret`, the row is still that of the function's body.
#
# Expected, as GCC writes it: DW_CFA_restore and DW_CFA_def_cfa_offset 0 before `ret`.
# Seen: no row after that of the prologue. GDB 13 stopped on `ret` adds the frame's size to sp once more: the caller is
# missing from its backtrace, or is the caller's caller.
#
# What we do: where nothing but simple instructions leads from the crashed pc to a return, the instructions decide
# (`findByEpilogue` in src/crashdump/arch/riscv/code-analysis.ts).
#
# Debian 12: clang 14.0.6. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >caller.c <<'C'
int callee(int);
int caller(int a) { return callee(a) + callee(a + 1); }
C
clang --target=riscv32-unknown-elf -march=rv32imc -mabi=ilp32 -O2 -g -mno-relax -c caller.c
riscv64-unknown-elf-objdump -d caller.o >code.txt
riscv64-unknown-elf-readelf --debug-dump=frames caller.o >frames.txt
ret=$(sed -n 's/^ *\([0-9a-f]*\):.*\sret$/\1/p' code.txt | tail -1)
last=$(sed -n 's/.*DW_CFA_advance_loc[0-9]*: [0-9]* to \([0-9a-f]*\)/\1/p' frames.txt | tail -1)
echo "ret at 0x$ret; the last row begins at 0x$last"
cat frames.txt | sed -n '/FDE/,$p'
grep -q 'add.*sp,sp,[0-9]' code.txt
[ $((0x$last)) -lt $((0x$ret - 4)) ]
! grep -q 'DW_CFA_restore\|def_cfa_offset: 0' frames.txt
