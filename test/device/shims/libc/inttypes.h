/* For compilers that come without a C library. */
#pragma once

#include <stdint.h>

#define PRIu32 "lu"
#define PRIx32 "lx"
