/* ESP-IDF's panic handler: DEVICE_PANIC_DUMP is a file with the dump that it writes; then the device restarts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block.h"
#include "digest.h"
#include "esp_private/panic_internal.h"
#include "shim.h"

#define MAX_DUMP 65536

/* The block is in memory that dumps include: here the file gets it, at DEVICE_PANIC_BLOCK_AT. */
static void write_dump(const char *path)
{
    static uint8_t image[MAX_DUMP];
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : fread(image, 1, sizeof(image), file);
    if (size == 0) {
        _exit(70);
    }
    fclose(file);
    long at = shim_number("DEVICE_PANIC_BLOCK_AT", 0);
    if (at > 0) {
        memcpy(image + at, &cdk_block, sizeof(cdk_block));
        uint32_t crc = cdk_crc32(0, image, size - sizeof(crc));
        memcpy(image + size - sizeof(crc), &crc, sizeof(crc));
    }
    shim_save_dump(image, size);
}

/* What abort() ends in: an exception that the handler knows by these. */
void panic_abort(const char *details)
{
    g_panic_abort = true;
    g_panic_abort_details = (char *)details;
    shim_raise();
}

void esp_panic_handler(panic_info_t *info)
{
    (void)info;
    const char *dump = getenv("DEVICE_PANIC_DUMP");
    if (dump != NULL) {
        write_dump(dump);
    }
    shim_noinit_save();
    _exit(0);
}
