/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/**
 * Coredock: sends core dumps, and crashes without one, to a Coredock server, from a background task, and puts the last log
 * lines and named values into them.
 *
 * Three lines of sdkconfig are enough for a first crash report (CONFIG_COREDOCK_URL, CONFIG_COREDOCK_INGEST_KEY,
 * CONFIG_COREDOCK_AUTO_START), beside a partition of type coredump and CONFIG_ESP_COREDUMP_ENABLE_TO_FLASH.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What coredock_start needs to know. All fields are optional: NULL and 0 mean the option of the same name in Kconfig
 * (menu "Coredock"). Texts are copied, except ca_pem.
 */
typedef struct {
    /** Address of the server: "https://crashes.example.org", with a path if it has one. At most 200 characters. */
    const char *url;
    /** Ingest key of the product ("cdk_…"). The server registers a device with an unknown serial by itself. */
    const char *ingest_key;
    /** Token of this one device; it is used instead of the ingest key. */
    const char *device_token;
    /** For a server without authentication: the key of a device that is registered, 1 to 32 of a-z and 0-9. */
    const char *device_key;
    /** Code of the model, 1 to 32 of a-z, 0-9 and "_". A server without authentication needs it, or the device_key. */
    const char *model;
    /** What is printed on the device: 1 to 64 of A-Z, a-z, 0-9, ".", "_", ":" and "-". Default: the factory MAC. */
    const char *serial;
    /** Default: the version of the application descriptor (PROJECT_VER). Other characters than the server takes are
     *  replaced by "-". */
    const char *firmware_version;
    /** Certificate of the server's CA as PEM text, ended by NUL. It is not copied: it must stay valid for ever. Default:
     *  the certificate bundle of ESP-IDF. */
    const char *ca_pem;
    /** Bytes. */
    uint32_t task_stack_size;
    uint32_t task_priority;
    /** Milliseconds for each operation of the socket. */
    uint32_t timeout_ms;
    /** Seconds; see Kconfig for the defaults. */
    uint32_t retry_min_s;
    uint32_t retry_max_s;
    uint32_t refused_retry_s;
    /** True: no random delay before the first request. */
    bool skip_start_delay;
    /** True: no report of the boot. */
    bool skip_boot_report;
} coredock_config_t;

/**
 * Starts the component: the log ring at once, the background task as soon as the scheduler runs. It returns at once
 * and never waits for the network. Call it early in app_main, and before the network is started: crashes before this
 * call are sent too, but have no log lines in them.
 *
 * The task waits for an address (IP_EVENT of the default event loop, or coredock_network_up), reports the boot, sends
 * the core dump if there is one, else the summary of a crash (CONFIG_COREDOCK_CRASH_SUMMARY), erases it when the server has it, and
 * ends.
 *
 * @param config NULL: Kconfig alone
 * @return ESP_OK; ESP_ERR_INVALID_ARG: url, serial, model or device_key is malformed, or nothing says who the device is (the
 *         log names it); ESP_ERR_INVALID_STATE: it was started already; ESP_ERR_NO_MEM; or why the MAC cannot be read
 */
esp_err_t coredock_start(const coredock_config_t *config);

/**
 * The network can be used now. Needed only where no IP_EVENT is posted to the default event loop, for example with a
 * modem or a network stack of another maker. May be called at any time, from any task, any number of times; not from an
 * interrupt.
 */
void coredock_network_up(void);

/**
 * Waits until there is nothing left to send, for devices that sleep or switch their network off.
 *
 * @param timeout_ms at most this long, in milliseconds
 * @return ESP_OK: boot reported, and no crash is left to send; ESP_ERR_TIMEOUT: not yet; ESP_ERR_INVALID_STATE: it was not started
 */
esp_err_t coredock_wait(uint32_t timeout_ms);

/** Longest name of a value, in bytes. */
#define COREDOCK_NAME_MAX 23
/** Longest text of a value, in bytes. */
#define COREDOCK_TEXT_MAX 32

/**
 * Sets a named value. The values at the moment of a crash are in its report. A value that is set again replaces the one
 * of the same name, also if it had another type. From any task or interrupt; it takes some microseconds and no memory.
 *
 * @param name 1 to COREDOCK_NAME_MAX bytes, for example "wifi_rssi"
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no name, or it is too long; ESP_ERR_NO_MEM: CONFIG_COREDOCK_VALUES names are in use
 */
esp_err_t coredock_set_int(const char *name, int64_t value);
/** As coredock_set_int, for a number with a fraction. */
esp_err_t coredock_set_float(const char *name, double value);
/** As coredock_set_int, for a text in UTF-8. More than COREDOCK_TEXT_MAX bytes are cut between two characters; NULL is "". */
esp_err_t coredock_set_text(const char *name, const char *value);
/** Forgets a value. @return ESP_OK; ESP_ERR_NOT_FOUND */
esp_err_t coredock_unset(const char *name);

#ifdef __cplusplus
}

#include <type_traits>

/** Sets a named value: an integer, a number with a fraction, or a text. */
template <typename Value>
inline esp_err_t coredock_set(const char *name, Value value)
{
    if constexpr (std::is_floating_point<Value>::value) {
        return coredock_set_float(name, static_cast<double>(value));
    } else if constexpr (std::is_integral<Value>::value || std::is_enum<Value>::value) {
        return coredock_set_int(name, static_cast<int64_t>(value));
    } else {
        return coredock_set_text(name, value);
    }
}
#else
/** Sets a named value: an integer, a number with a fraction, or a text. */
#define coredock_set(name, value)       \
    _Generic((value),                   \
        float: coredock_set_float,      \
        double: coredock_set_float,     \
        char *: coredock_set_text,      \
        const char *: coredock_set_text, \
        default: coredock_set_int)(name, value)
#endif
