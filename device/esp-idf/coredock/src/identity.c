/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "identity.h"

#include <string.h>
#include "options.h" /* First: it says which release is needed, where the next one does not exist. */
#include "esp_app_desc.h"
#include "esp_idf_version.h"
#include "esp_mac.h"
#include "digest.h"

#define MAC_SIZE 6

esp_err_t cdk_serial_from_mac(char *serial, size_t size)
{
    if (size < 2 * MAC_SIZE + 1) {
        return ESP_ERR_INVALID_SIZE;
    }
    /* Chips with IEEE 802.15.4 write 8 bytes. */
    uint8_t mac[8] = {0};
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)
    /* The base MAC can be set by the application; this one never changes. */
    esp_err_t err = esp_read_mac(mac, ESP_MAC_EFUSE_FACTORY);
#else
    esp_err_t err = esp_efuse_mac_get_default(mac);
#endif
    if (err == ESP_OK) {
        cdk_hex(serial, mac, MAC_SIZE);
    }
    return err;
}

const char *cdk_app_version(void)
{
    return esp_app_get_description()->version;
}

const char *cdk_app_project(void)
{
    return esp_app_get_description()->project_name;
}

const unsigned char *cdk_app_elf_sha256(void)
{
    /* esp_app_get_elf_sha256 would give its first nine digits only. */
    return esp_app_get_description()->app_elf_sha256;
}

static char taken(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("._+-", c))) {
        return c;
    }
    return '-';
}

void cdk_copy_version(char *to, size_t size, const char *version)
{
    size_t length = 0;
    for (; version[length] != '\0' && length + 1 < size; length++) {
        char c = taken(version[length]);
        to[length] = c == '.' && length > 0 && to[length - 1] == '.' ? '-' : c;
    }
    if (length == 0) {
        to[length++] = '0';
    }
    to[length] = '\0';
}
