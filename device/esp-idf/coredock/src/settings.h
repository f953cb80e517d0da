/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* What the component works with: the caller's configuration over that of Kconfig, checked and copied. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "coredock.h"

/* The server's limits (docs/api.md), and a NUL. */
#define CDK_URL_SIZE 201
#define CDK_SERIAL_SIZE 65
#define CDK_MODEL_SIZE 33
#define CDK_DEVICE_KEY_SIZE 33
#define CDK_VERSION_SIZE 65

typedef struct {
    /* Without a slash at its end. */
    char url[CDK_URL_SIZE];
    char serial[CDK_SERIAL_SIZE];
    char model[CDK_MODEL_SIZE];
    char device_key[CDK_DEVICE_KEY_SIZE];
    char firmware_version[CDK_VERSION_SIZE];
    /* The whole header "Bearer …"; NULL without a token. */
    char *authorization;
    /* The token belongs to this one device: the server knows the device by it. */
    bool is_device_token;
    const char *ca_pem;
    uint32_t task_stack_size;
    uint32_t task_priority;
    uint32_t timeout_ms;
    uint32_t start_delay_s;
    uint32_t retry_min_s;
    uint32_t retry_max_s;
    uint32_t refused_retry_s;
    bool reports_boot;
} cdk_settings_t;

/* When nothing is left to send. */
void cdk_settings_free(cdk_settings_t *settings);
