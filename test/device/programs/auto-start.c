/*
 * A device whose application never calls coredock_start: CONFIG_COREDOCK_AUTO_START. Works until nothing is left to send, and
 * writes the block that dumps include to a file: auto-start FILE.
 */
#include <stdio.h>
#include "block.h"
#include "coredock.h"
#include "shim.h"

int main(int count, char **arguments)
{
    shim_start_scheduler();
    shim_flash_open();
    coredock_network_up();
    esp_err_t err = coredock_wait((uint32_t)shim_number("DEVICE_PATIENCE_MS", 600000));
    FILE *file = count == 2 ? fopen(arguments[1], "wb") : NULL;
    if (file == NULL) {
        return 1;
    }
    fwrite(&cdk_block, 1, sizeof(cdk_block), file);
    fclose(file);
    return err == ESP_OK ? 0 : 2;
}
