/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Sends what is remembered of a crash that has no dump. */
#pragma once

#include "outcome.h"
#include "request.h"
#include "settings.h"

typedef enum {
    CDK_SUMMARY_NONE,
    CDK_SUMMARY_DUE,
    /* There is a crash, but the partition cannot be read: it may hold its dump. */
    CDK_SUMMARY_UNKNOWN,
} cdk_summary_state_t;

/*
 * Whether there is a crash to send. Forgets one whose dump is in flash: a crash counts once. Before any dump is sent and
 * erased.
 *
 * @param buffer for reading the dump
 */
cdk_summary_state_t cdk_summary_look(uint8_t *buffer, size_t buffer_size);

/* Forgets the crash when the server has it. */
cdk_outcome_t cdk_summary_send(const cdk_settings_t *settings, cdk_exchange_t *exchange);
