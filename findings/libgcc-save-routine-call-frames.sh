#!/usr/bin/env bash
# libgcc's routine for -msave-restore on RV32 (__riscv_save_4, _10, _12 share their end; GCC 12.2): its call-frame
# information does not follow `sub sp,sp,t1`, which gives the unused part of the stack back before `jr t0`.
#
# Expected: at `jr t0` the CFA is sp + 64 + t1, where t1 is 0, -16 or -32 by the entry that was used.
# Seen: the row of `jr t0` still says sp + 64. A debugger that is stopped there takes a wrong CFA for the caller and loses
# the callers behind it, for every function that saves fewer than all registers.
#
# What we do: the callers of these routines are found from their instructions and from t1
# (src/crashdump/arch/riscv/code-analysis.ts), never from this information.
#
# Debian 12: gcc-riscv64-unknown-elf 12.2.0-14. Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cross=riscv64-unknown-elf
$cross-ar x "$($cross-gcc -march=rv32imc -mabi=ilp32 -print-libgcc-file-name)" save-restore.o
$cross-objdump -d save-restore.o >code.txt
subtraction=$(sed -n 's/^ *\([0-9a-f]*\):.*sub\s*sp,sp,t1.*/\1/p' code.txt | head -1)
[ -n "$subtraction" ]
echo "sub sp,sp,t1 at 0x$subtraction, jr t0 behind it"
# The first description is that of the routine; its addresses begin at 0, as those of the code.
$cross-readelf --debug-dump=frames save-restore.o | awk '/ FDE /{n++} n==1' >rows.txt
cat rows.txt
last=$(sed -n 's/.*DW_CFA_advance_loc[0-9]*: [0-9]* to \([0-9a-f]*\)/\1/p' rows.txt | tail -1)
offsets=$(sed -n 's/.*DW_CFA_def_cfa_offset: //p' rows.txt | sort -u)
echo "the last row begins at 0x$last; offsets of the CFA: $offsets"
[ $((0x$last)) -le $((0x$subtraction)) ]
[ "$offsets" = 64 ]
