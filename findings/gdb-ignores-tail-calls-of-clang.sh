#!/usr/bin/env bash
# GDB 13.1 (Debian 13.1-3) and clang 14.0.6 with lld (Debian 12): clang describes a tail call by DW_AT_call_pc, the
# address of the jump (DWARF 5 §3.4: a call site has DW_AT_call_return_pc, DW_AT_call_pc or both). GDB reads
# DW_AT_call_return_pc only and drops the entry, so that no function that ended by a tail call is in a backtrace of
# clang's code, though GDB shows the same functions of GCC's code.
#
# Expected: the call site is read.
# Seen: "missing DW_AT_call_return_pc for DW_TAG_call_site DIE 0x6c" (with `set complaints`), and no tail-call frame.
#
# What we do: read both attributes; the frame has the address behind the jump.
#
# Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >calls.c <<'END'
volatile int sink;
__attribute__((noinline)) int last(int x) { sink = x; return x + 1; }
__attribute__((noinline)) int middle(int x) { sink = x + 1; return last(x + 2); }
void _start(void) { sink = middle(1); for (;;) ; }
END
clang --target=riscv32-unknown-elf -march=rv32imc -mabi=ilp32 -O2 -gdwarf-5 -c calls.c -o calls.o
ld.lld -Ttext=0x80000000 calls.o -o calls.elf
llvm-dwarfdump --debug-info calls.elf | grep -A 3 'DW_TAG_call_site$' | grep -q DW_AT_call_pc
gdb-multiarch -nx -batch -ex 'set complaints 10' -ex 'file calls.elf' -ex 'info line middle' 2>&1 | tee answer
grep -q 'missing DW_AT_call_return_pc for DW_TAG_call_site' answer
