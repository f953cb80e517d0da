/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Tells the server that this device has started, and why. */
#pragma once

#include <stdbool.h>
#include "outcome.h"
#include "request.h"
#include "settings.h"

cdk_outcome_t cdk_boot_report(const cdk_settings_t *settings, cdk_exchange_t *exchange, bool is_crash_pending);
