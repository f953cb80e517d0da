#include "shim.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_long s_steps;

long shim_number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? otherwise : strtol(text, NULL, 0);
}

void shim_step(const char *what)
{
    static long dies_at = -1;
    static long resets_at;
    if (dies_at < 0) {
        dies_at = shim_number("DEVICE_DIES_AT", 0);
        resets_at = shim_number("DEVICE_RESETS_AT", 0);
    }
    long step = atomic_fetch_add(&s_steps, 1) + 1;
    if (step == dies_at) {
        fprintf(stderr, "power lost at step %ld: %s\n", step, what);
        const char *noinit = getenv("DEVICE_NOINIT");
        if (noinit != NULL) {
            unlink(noinit); /* Memory forgets. */
        }
        _exit(9);
    }
    if (step == resets_at) {
        fprintf(stderr, "reset at step %ld: %s\n", step, what);
        shim_noinit_save();
        _exit(8);
    }
}

long shim_steps(void)
{
    return atomic_load(&s_steps);
}
