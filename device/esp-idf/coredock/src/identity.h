/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Who this device is, and what it runs. */
#pragma once

#include <stddef.h>
#include "esp_err.h"

/* The factory MAC as 12 lower-case hexadecimal digits; `serial` has at least 13 bytes. */
esp_err_t cdk_serial_from_mac(char *serial, size_t size);

/* The version of the application descriptor. */
const char *cdk_app_version(void);

/* SHA-256 of the running application's ELF: 32 bytes. A dump names that of the application that crashed itself. */
const unsigned char *cdk_app_elf_sha256(void);

/* The name of the project. */
const char *cdk_app_project(void);

/* Copies a version as the server takes it: 1 to 64 of A-Z, a-z, 0-9, ".", "_", "+" and "-", without "..". */
void cdk_copy_version(char *to, size_t size, const char *version);
