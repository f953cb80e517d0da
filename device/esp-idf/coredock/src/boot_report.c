/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "boot_report.h"

#include <inttypes.h>
#include <stdio.h>
#include "esp_log.h"
#include "esp_system.h"
#include "digest.h"
#include "identity.h"
#include "last_run.h"

static const char *TAG = "coredock";

/* The names of esp_reset_reason_t by its numbers, which do not change; its newer names do not exist everywhere. */
static const char *reason_name(unsigned reason)
{
    static const char *const names[] = {
        "unknown",   "poweron",  "ext",  "sw",  "panic", "int_wdt", "task_wdt",   "wdt",
        "deepsleep", "brownout", "sdio", "usb", "jtag",  "efuse",   "pwr_glitch", "cpu_lockup",
    };
    return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : names[0];
}

static void describe(cdk_address_t *address, bool is_crash_pending)
{
    char text[65];
    cdk_hex(text, cdk_app_elf_sha256(), 32);
    cdk_address_add(address, "elf_sha256", text);
    cdk_address_add(address, "reset_reason", reason_name((unsigned)esp_reset_reason()));
    uint32_t uptime_s;
    if (cdk_last_run_uptime(&uptime_s)) {
        snprintf(text, sizeof(text), "%" PRIu32, uptime_s);
        cdk_address_add(address, "uptime_s", text);
    }
    cdk_address_add(address, "crash_pending", is_crash_pending ? "true" : "false");
}

cdk_outcome_t cdk_boot_report(const cdk_settings_t *settings, cdk_exchange_t *exchange, bool is_crash_pending)
{
    cdk_address_t address;
    cdk_address_begin(&address, exchange->address, sizeof(exchange->address), settings, "/api/iot/boot");
    cdk_address_add_firmware(&address, settings);
    cdk_address_add_device(&address, settings);
    describe(&address, is_crash_pending);
    if (!address.is_whole) {
        return CDK_REFUSED;
    }
    esp_err_t err = cdk_request_post(settings, exchange, NULL);
    if (err != ESP_OK) {
        ESP_LOGW(TAG, "boot not reported (%s)", esp_err_to_name(err));
        return CDK_UNREACHABLE;
    }
    if (exchange->status == 204) {
        return CDK_DONE;
    }
    if (exchange->status == 404 || exchange->status == 405) {
        return CDK_DONE; /* A server that does not know this route; if it does not know the device, the upload says so. */
    }
    ESP_LOGW(TAG, "boot not reported: HTTP %d %s", exchange->status, exchange->body);
    cdk_outcome_t outcome = cdk_outcome_of(exchange->status);
    /* Whoever answered: the dump is tried too, and says more. */
    return outcome == CDK_UNREACHABLE ? CDK_BUSY : outcome;
}
