/* What the shims of ESP-IDF know beyond its headers: the faults, and how a device of the test is described. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number of the environment, else `otherwise`. */
long shim_number(const char *name, long otherwise);

/*
 * Every call of the shims passes here. Power is lost at the call whose number is DEVICE_DIES_AT: the process ends at once,
 * with exit code 9, and nothing is left in memory. A watchdog of the hardware resets the device at the call whose number is
 * DEVICE_RESETS_AT, with exit code 8.
 */
void shim_step(const char *what);
long shim_steps(void);

/* The end of start-up: constructors are over, ESP-IDF's own came last, and tasks may run. First in main. */
void shim_start_scheduler(void);
bool shim_is_scheduling(void);

/* The core dump partition: a file, DEVICE_FLASH. DEVICE_ENCRYPTED=1 encrypts it. The first DEVICE_FAILING_READS reads fail. */
void shim_flash_open(void);
/* Writes a dump as the panic handler does: erase, then program. */
void shim_save_dump(const uint8_t *image, size_t size);

/* Memory that survives a restart: a file, DEVICE_NOINIT. */
void shim_noinit_load(void);
void shim_noinit_save(void);

/*
 * Panics as a file describes it, and ends the process: 0 when the restart came, with the record in DEVICE_NOINIT. The file holds
 * 32-bit words: registers in the order of the frame, then the address of the stack and its bytes.
 */
void shim_panic(const char *path);
void shim_raise(void) __attribute__((noreturn));

/* The application's part of the network. */
void shim_event_loop_create(void);
void shim_post_address(void);

/* True while the code runs as an interrupt of a test. */
extern _Thread_local bool shim_is_interrupt;
