/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "query.h"

#include <stdio.h>
#include <string.h>
#include "options.h"

static void add_char(cdk_address_t *address, char c)
{
    if (address->length + 1 >= address->size) {
        address->is_whole = false;
        return;
    }
    address->text[address->length++] = c;
    address->text[address->length] = '\0';
}

static void add_text(cdk_address_t *address, const char *text)
{
    for (; *text != '\0'; text++) {
        add_char(address, *text);
    }
}

/* RFC 3986: unreserved characters stay as they are. */
static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~:", c));
}

static void add_encoded(cdk_address_t *address, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            add_char(address, *text);
        } else {
            add_char(address, '%');
            add_char(address, digits[(unsigned char)*text >> 4]);
            add_char(address, digits[(unsigned char)*text & 15]);
        }
    }
}

void cdk_address_add(cdk_address_t *address, const char *name, const char *value)
{
    add_char(address, strchr(address->text, '?') == NULL ? '?' : '&');
    add_text(address, name);
    add_char(address, '=');
    add_encoded(address, value);
}

void cdk_address_begin(cdk_address_t *address, char *text, size_t size, const cdk_settings_t *settings, const char *path)
{
    text[0] = '\0';
    *address = (cdk_address_t){.text = text, .size = size, .is_whole = true};
    add_text(address, settings->url);
    add_text(address, path);
}

void cdk_address_add_firmware(cdk_address_t *address, const cdk_settings_t *settings)
{
    cdk_address_add(address, "chip", CONFIG_IDF_TARGET);
    cdk_address_add(address, "firmware_version", settings->firmware_version);
}

void cdk_address_add_device(cdk_address_t *address, const cdk_settings_t *settings)
{
    if (settings->is_device_token) {
        return; /* The server knows the device by its token. */
    }
    if (settings->authorization == NULL && settings->device_key[0] != '\0') {
        cdk_address_add(address, "device_key", settings->device_key);
        return;
    }
    if (settings->authorization == NULL) {
        cdk_address_add(address, "model", settings->model);
    }
    cdk_address_add(address, "device_serial", settings->serial);
}
