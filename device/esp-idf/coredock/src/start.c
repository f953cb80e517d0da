/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* coredock_start: the settings, and what begins at once. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "esp_log.h"
#include "esp_system.h"
#include "block.h"
#include "crash.h"
#include "identity.h"
#include "last_run.h"
#include "log_ring.h"
#include "options.h"
#include "settings.h"
#include "task.h"

static const char *TAG = "coredock";

/* A day and a month: more would overflow in milliseconds. */
#define LONGEST_RETRY_S 86400u
#define LONGEST_REFUSED_RETRY_S (30 * 86400u)

static atomic_bool s_is_started;
/* From then on nothing is taken back. */
static bool s_is_begun;

/* NULL if none of the two says anything. */
static const char *text_of(const char *given, const char *configured)
{
    if (given != NULL && given[0] != '\0') {
        return given;
    }
    return configured[0] == '\0' ? NULL : configured;
}

static uint32_t number_of(uint32_t given, uint32_t configured)
{
    return given == 0 ? configured : given;
}

static uint32_t at_most(uint32_t limit, uint32_t number)
{
    return number > limit ? limit : number;
}

static bool consists_of(const char *text, size_t size, const char *allowed)
{
    size_t length = strlen(text);
    return length > 0 && length < size && strspn(text, allowed) == length;
}

static esp_err_t refuse(const char *what)
{
    ESP_LOGE(TAG, "not started: %s", what);
    return ESP_ERR_INVALID_ARG;
}

static esp_err_t take_url(cdk_settings_t *settings, const char *url)
{
    if (url == NULL) {
        return refuse("the address of the server is missing (COREDOCK_URL)");
    }
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
    bool has_host = host != NULL && host[0] != '\0' && host[0] != '/';
    if (!has_host || length >= sizeof(settings->url) || strpbrk(url, " ?#\"\r\n") != NULL) {
        return refuse("COREDOCK_URL must be like https://crashes.example.org, without a query, at most 200 characters");
    }
    memcpy(settings->url, url, length);
    return ESP_OK;
}

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static esp_err_t take_serial(cdk_settings_t *settings, const char *serial)
{
    if (serial != NULL) {
        if (!consists_of(serial, sizeof(settings->serial), SMALL LARGE DIGITS "._:-")) {
            return refuse("the serial must be 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\", \":\" and \"-\"");
        }
        strcpy(settings->serial, serial);
        return ESP_OK;
    }
#if CONFIG_COREDOCK_SERIAL_FROM_MAC
    esp_err_t err = cdk_serial_from_mac(settings->serial, sizeof(settings->serial));
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "not started: the factory MAC cannot be read (%s)", esp_err_to_name(err));
    }
    return err;
#else
    return refuse("the serial is missing: give it to coredock_start, or set COREDOCK_SERIAL_FROM_MAC");
#endif
}

static esp_err_t take_model(cdk_settings_t *settings, const char *model, const char *device_key)
{
    if (model != NULL) {
        if (!consists_of(model, sizeof(settings->model), SMALL DIGITS "_")) {
            return refuse("the model must be 1 to 32 of a-z, 0-9 and \"_\" (COREDOCK_MODEL)");
        }
        strcpy(settings->model, model);
    }
    if (device_key != NULL) {
        if (!consists_of(device_key, sizeof(settings->device_key), SMALL DIGITS)) {
            return refuse("the device key must be 1 to 32 of a-z and 0-9");
        }
        strcpy(settings->device_key, device_key);
    }
    return ESP_OK;
}

static esp_err_t take_token(cdk_settings_t *settings, const char *ingest_key, const char *device_token)
{
    const char *token = device_token != NULL ? device_token : ingest_key;
    settings->is_device_token = device_token != NULL;
    if (token == NULL) {
        bool is_named = settings->model[0] != '\0' || settings->device_key[0] != '\0';
        return is_named ? ESP_OK : refuse("nothing says who this is: set COREDOCK_INGEST_KEY (or COREDOCK_MODEL)");
    }
    for (const char *at = token; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return refuse("the key or token has a blank or a character that is none of ASCII");
        }
    }
    static const char scheme[] = "Bearer ";
    settings->authorization = malloc(sizeof(scheme) + strlen(token));
    if (settings->authorization == NULL) {
        return ESP_ERR_NO_MEM;
    }
    strcpy(settings->authorization, scheme);
    strcat(settings->authorization, token);
    return ESP_OK;
}

static esp_err_t resolve(cdk_settings_t *settings, const coredock_config_t *config)
{
    settings->ca_pem = config->ca_pem;
    settings->task_stack_size = number_of(config->task_stack_size, CONFIG_COREDOCK_TASK_STACK_SIZE);
    settings->task_priority = number_of(config->task_priority, CONFIG_COREDOCK_TASK_PRIORITY);
    settings->timeout_ms = number_of(config->timeout_ms, CONFIG_COREDOCK_TIMEOUT_MS);
    settings->start_delay_s = config->skip_start_delay ? 0 : CONFIG_COREDOCK_START_DELAY_S;
    settings->retry_min_s = at_most(LONGEST_RETRY_S, number_of(config->retry_min_s, CONFIG_COREDOCK_RETRY_MIN_S));
    settings->retry_max_s = at_most(LONGEST_RETRY_S, number_of(config->retry_max_s, CONFIG_COREDOCK_RETRY_MAX_S));
    settings->refused_retry_s =
        at_most(LONGEST_REFUSED_RETRY_S, number_of(config->refused_retry_s, CONFIG_COREDOCK_REFUSED_RETRY_S));
#if CONFIG_COREDOCK_BOOT_REPORT
    settings->reports_boot = !config->skip_boot_report;
#endif
    const char *version = text_of(config->firmware_version, "");
    cdk_copy_version(settings->firmware_version, sizeof(settings->firmware_version),
                     version == NULL ? cdk_app_version() : version);

    esp_err_t err = take_url(settings, text_of(config->url, CONFIG_COREDOCK_URL));
    if (err == ESP_OK) {
        err = take_serial(settings, text_of(config->serial, ""));
    }
    if (err == ESP_OK) {
        err = take_model(settings, text_of(config->model, CONFIG_COREDOCK_MODEL), text_of(config->device_key, ""));
    }
    if (err == ESP_OK) {
        err = take_token(settings, text_of(config->ingest_key, CONFIG_COREDOCK_INGEST_KEY),
                         text_of(config->device_token, CONFIG_COREDOCK_DEVICE_TOKEN));
    }
    return err;
}

void cdk_settings_free(cdk_settings_t *settings)
{
    if (settings != NULL) {
        free(settings->authorization);
    }
    free(settings);
}

static esp_err_t begin(const coredock_config_t *config)
{
    cdk_settings_t *settings = calloc(1, sizeof(*settings));
    esp_err_t err = settings == NULL ? ESP_ERR_NO_MEM : resolve(settings, config);
    if (err != ESP_OK) {
        cdk_settings_free(settings);
        return err;
    }
    s_is_begun = true;
    cdk_block_seal(&(cdk_block_owner_t){
        .model = settings->model,
        .serial = settings->serial,
        .firmware_version = settings->firmware_version,
        .boot_count = cdk_last_run_begin(),
        .reset_reason = (uint32_t)esp_reset_reason(),
    });
    cdk_log_ring_start();
    cdk_crash_listen();
    /* Block and ring stay, also when there is no memory for the task: dumps still say who they are. */
    err = cdk_task_start(settings);
    if (err != ESP_OK) {
        cdk_settings_free(settings);
    }
    return err;
}

esp_err_t coredock_start(const coredock_config_t *config)
{
    static const coredock_config_t nothing_given;
    if (atomic_exchange(&s_is_started, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err = begin(config == NULL ? &nothing_given : config);
    if (err != ESP_OK && !s_is_begun) {
        atomic_store(&s_is_started, false); /* Nothing was begun: the application may try again with other settings. */
    }
    return err;
}

#if CONFIG_COREDOCK_AUTO_START

/* Named on the linker's command line (CMakeLists.txt), so that this file is in the program at all. */
void coredock_include_auto_start(void);
void coredock_include_auto_start(void)
{
}

/* Before the scheduler, which starts the task later. */
static __attribute__((constructor)) void auto_start(void)
{
    coredock_start(NULL);
}

#endif
