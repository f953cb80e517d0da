/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* The background task. */
#pragma once

#include "esp_err.h"
#include "settings.h"

/* The task frees the settings. @return ESP_OK; ESP_ERR_NO_MEM: then it does not */
esp_err_t cdk_task_start(cdk_settings_t *settings);
