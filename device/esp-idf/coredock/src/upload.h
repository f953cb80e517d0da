/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Sends the core dump, and erases it when the server has it. */
#pragma once

#include "outcome.h"
#include "request.h"
#include "settings.h"

cdk_outcome_t cdk_upload(const cdk_settings_t *settings, cdk_exchange_t *exchange);
