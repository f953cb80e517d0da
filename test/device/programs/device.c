/*
 * One run of a device, described by the environment:
 *
 *   device run          boots, works until nothing is left to send (exit 0) or DEVICE_PATIENCE_MS are over (exit 2)
 *   device save FILE    crashes: the file is the dump
 *   device state        prints "none", or the length of the dump in flash
 *   device block FILE   boots, writes the block that dumps include to a file
 *   device values       tries the limits of names and texts
 *   device panic FILE   boots, logs, and panics as the file says (shim_panic); DEVICE_PANICS_EARLY: before coredock_start,
 *                       DEVICE_PANICS_AFTER_MS: later
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "block.h"
#include "coredock.h"
#include "esp_core_dump.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/task.h"
#include "shim.h"

static void set_values(void)
{
    const char *name = "uplink";
    coredock_set("wifi_rssi", -61);
    coredock_set("battery_v", 3.71);
    coredock_set("uplink", name);
    coredock_set("state", "connecting");
}

static void log_lines(void)
{
    long count = shim_number("DEVICE_LOG_LINES", 3);
    for (long i = 0; i < count; i++) {
        ESP_LOGI("app", "line %ld of %ld", i, count);
    }
}

/* DEVICE_NETWORK: what the application does. */
static void start_network(void)
{
    const char *network = getenv("DEVICE_NETWORK");
    network = network == NULL ? "call" : network;
    if (strcmp(network, "call") == 0) {
        coredock_network_up();
    } else if (strcmp(network, "event") == 0) {
        shim_event_loop_create();
        vTaskDelay(pdMS_TO_TICKS(3000));
        shim_post_address();
    } else if (strcmp(network, "before") == 0) {
        shim_post_address();
        shim_event_loop_create();
    }
}

static int boot(void)
{
    shim_noinit_load();
    coredock_config_t config = {
        .url = getenv("DEVICE_URL"),
        .ingest_key = getenv("DEVICE_INGEST_KEY"),
        .device_token = getenv("DEVICE_TOKEN"),
        .device_key = getenv("DEVICE_KEY"),
        .model = getenv("DEVICE_MODEL"),
        .serial = getenv("DEVICE_SERIAL"),
        .timeout_ms = (uint32_t)shim_number("DEVICE_TIMEOUT_MS", 5000),
        .retry_min_s = (uint32_t)shim_number("DEVICE_RETRY_MIN_S", 0),
        .retry_max_s = (uint32_t)shim_number("DEVICE_RETRY_MAX_S", 0),
        .refused_retry_s = (uint32_t)shim_number("DEVICE_REFUSED_RETRY_S", 0),
        .skip_start_delay = true,
        .skip_boot_report = shim_number("DEVICE_SKIP_BOOT_REPORT", 0) != 0,
    };
    esp_err_t err = coredock_start(&config);
    if (err != ESP_OK) {
        printf("coredock_start: 0x%x\n", (unsigned)err);
        return 3;
    }
    set_values();
    log_lines();
    start_network();
    return 0;
}

static int run(void)
{
    int failed = boot();
    if (failed != 0) {
        return failed;
    }
    esp_err_t err = coredock_wait((uint32_t)shim_number("DEVICE_PATIENCE_MS", 600000));
    shim_noinit_save();
    printf("steps: %ld\n", shim_steps());
    return err == ESP_OK ? 0 : 2;
}

static int save(const char *path)
{
    FILE *file = fopen(path, "rb");
    static uint8_t image[256 * 1024];
    size_t size = file == NULL ? 0 : fread(image, 1, sizeof(image), file);
    if (size == 0) {
        return 1;
    }
    fclose(file);
    shim_save_dump(image, size);
    return 0;
}

static int state(void)
{
    size_t address;
    size_t size;
    if (esp_core_dump_image_get(&address, &size) == ESP_OK) {
        printf("%zu\n", size);
    } else {
        printf("none\n");
    }
    return 0;
}

static int block(const char *path)
{
    int failed = boot();
    FILE *file = fopen(path, "wb");
    if (failed != 0 || file == NULL) {
        return 1;
    }
    fwrite(&cdk_block, 1, sizeof(cdk_block), file);
    fclose(file);
    _exit(0);
}

static void log_as_is(const char *text)
{
    if (text != NULL) {
        shim_log("%s", text);
    }
}

static int panic(const char *path)
{
    if (shim_number("DEVICE_PANICS_EARLY", 0) != 0) {
        shim_noinit_load();
    } else if (boot() != 0) {
        return 3;
    }
    esp_timer_get_time();
    vTaskDelay(pdMS_TO_TICKS(shim_number("DEVICE_PANICS_AFTER_MS", 0)));
    log_as_is(getenv("DEVICE_LAST_LOG"));
    for (const char *lines = getenv("DEVICE_LAST_LOGS"); lines != NULL && *lines != '\0';) {
        char line[256];
        size_t length = strcspn(lines, "\n") + 1;
        snprintf(line, sizeof(line), "%.*s", (int)length, lines);
        log_as_is(line);
        lines += length;
    }
    shim_panic(path);
    return 1;
}

static int values(void)
{
    printf("no name: 0x%x\n", (unsigned)coredock_set_int(NULL, 1));
    printf("empty name: 0x%x\n", (unsigned)coredock_set_int("", 1));
    printf("longest name: 0x%x\n", (unsigned)coredock_set_int("abcdefghijklmnopqrstuvw", 1));
    printf("too long a name: 0x%x\n", (unsigned)coredock_set_int("abcdefghijklmnopqrstuvwx", 1));
    printf("no text: 0x%x\n", (unsigned)coredock_set("text", (const char *)NULL));
    printf("long text: 0x%x\n", (unsigned)coredock_set("text", "0123456789012345678901234567890\xc3\xa9 and more"));
    printf("%.*s\n", cdk_block.values[1].text_length, cdk_block.values[1].content.as_text);
    printf("another type: 0x%x\n", (unsigned)coredock_set("text", true));
    printf("unset: 0x%x\n", (unsigned)coredock_unset("text"));
    printf("unset again: 0x%x\n", (unsigned)coredock_unset("text"));
    int set = 1;
    char name[16];
    while (set < 100 && snprintf(name, sizeof(name), "v%d", set) > 0 && coredock_set(name, set) == ESP_OK) {
        set++;
    }
    printf("values: %d\n", set);
    return 0;
}

int main(int count, char **arguments)
{
    const char *command = count > 1 ? arguments[1] : "";
    shim_start_scheduler();
    shim_flash_open();
    if (strcmp(command, "run") == 0) {
        return run();
    }
    if (strcmp(command, "save") == 0 && count == 3) {
        return save(arguments[2]);
    }
    if (strcmp(command, "state") == 0) {
        return state();
    }
    if (strcmp(command, "block") == 0 && count == 3) {
        return block(arguments[2]);
    }
    if (strcmp(command, "panic") == 0 && count == 3) {
        return panic(arguments[2]);
    }
    if (strcmp(command, "values") == 0) {
        return values();
    }
    fprintf(stderr, "usage: device run | save FILE | state | block FILE | values | panic FILE\n");
    return 64;
}
