#pragma once

#define COREDUMP_DRAM_ATTR __attribute__((section(".data.coredump")))
/* A section of its own, so that the shims can keep it over a restart. */
#define __NOINIT_ATTR __attribute__((section("noinit")))
#define IRAM_ATTR __attribute__((section(".iram1")))
#define DRAM_ATTR __attribute__((section(".dram1")))
