/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The address of a request: server, path and query string. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "settings.h"

/* Enough for the longest of each part. */
#define CDK_ADDRESS_SIZE 960

typedef struct {
    char *text;
    size_t size;
    size_t length;
    bool is_whole;
} cdk_address_t;

/* Begins with the server and `path`. */
void cdk_address_begin(cdk_address_t *address, char *text, size_t size, const cdk_settings_t *settings, const char *path);

/* The chip, and the version that runs. */
void cdk_address_add_firmware(cdk_address_t *address, const cdk_settings_t *settings);

/* Who the device is, as far as the token does not say it. */
void cdk_address_add_device(cdk_address_t *address, const cdk_settings_t *settings);

void cdk_address_add(cdk_address_t *address, const char *name, const char *value);
