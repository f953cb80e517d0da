#!/usr/bin/env bash
# llvm-cxxfilt 19.1.7 (Debian llvm-19, clang-19): clang counts `_BitInt(N)` among the parts of a name that later parts may
# refer back to (S_, S0_, …), the demangler does not. So it names another type for a parameter, without a sign of it.
#
# Expected: f(_BitInt(7), unsigned _BitInt(33)*, _BitInt(7)), as the source says.
# Seen: f(_BitInt(7), unsigned _BitInt(33)*, unsigned _BitInt(33)); the mangled name is _Z1fDB7_PDU33_S_.
#
# What we do: src/crashdump/demangle/types.ts counts it as clang does.
#
# Exits non-zero when the behaviour is another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo 'int f(_BitInt(7), unsigned _BitInt(33) *, _BitInt(7)) { return 1; }' >source.cpp
clang++-19 -c source.cpp -o source.o
name=$(nm source.o | awk '/_Z1f/ {print $NF}')
answer=$(llvm-cxxfilt-19 "$name")
echo "$name: $answer"
[ "$answer" != 'f(_BitInt(7), unsigned _BitInt(33)*, _BitInt(7))' ]
