/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/*
 * Connects to Wi-Fi, sends the dump of the last crash if there is one, and crashes when the BOOT button is pressed. Set
 * address and key in menuconfig, menu Coredock; the network in menu Example.
 */
#include <stddef.h>
#include "coredock.h"
#include "driver/gpio.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"

static const char *TAG = "example";

#if CONFIG_IDF_TARGET_ESP32 || CONFIG_IDF_TARGET_ESP32S2 || CONFIG_IDF_TARGET_ESP32S3
#define BOOT_BUTTON GPIO_NUM_0
#elif CONFIG_IDF_TARGET_ESP32C5
#define BOOT_BUTTON GPIO_NUM_28
#else
#define BOOT_BUTTON GPIO_NUM_9
#endif

typedef struct {
    int temperature;
} sensor_t;

/* Read with NULL by the button. */
static __attribute__((noinline)) int read_sensor(const volatile sensor_t *sensor)
{
    return sensor->temperature;
}

static void watch_button(void *unused)
{
    (void)unused;
    gpio_set_direction(BOOT_BUTTON, GPIO_MODE_INPUT);
    gpio_set_pull_mode(BOOT_BUTTON, GPIO_PULLUP_ONLY);
    for (;;) {
        coredock_set("free_heap", esp_get_free_heap_size());
        if (gpio_get_level(BOOT_BUTTON) == 0) {
            ESP_LOGW(TAG, "the button was pressed: reading a sensor that is not there");
            ESP_LOGI(TAG, "temperature %d", read_sensor(NULL));
        }
        vTaskDelay(pdMS_TO_TICKS(100));
    }
}

static void on_wifi(void *unused, esp_event_base_t base, int32_t id, void *data)
{
    (void)unused;
    (void)base;
    (void)data;
    if (id == WIFI_EVENT_STA_START || id == WIFI_EVENT_STA_DISCONNECTED) {
        coredock_set("state", "connecting");
        esp_wifi_connect();
    } else if (id == WIFI_EVENT_STA_CONNECTED) {
        coredock_set("state", "connected");
    }
}

static void start_wifi(void)
{
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    esp_netif_create_default_wifi_sta();
    wifi_init_config_t defaults = WIFI_INIT_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(esp_wifi_init(&defaults));
    ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL));
    wifi_config_t config = {.sta = {.ssid = CONFIG_EXAMPLE_WIFI_SSID, .password = CONFIG_EXAMPLE_WIFI_PASSWORD}};
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &config));
    ESP_ERROR_CHECK(esp_wifi_start());
}

void app_main(void)
{
    /* Before the network: crashes from here on have log lines in them. */
    ESP_ERROR_CHECK_WITHOUT_ABORT(coredock_start(NULL));
    ESP_ERROR_CHECK(nvs_flash_init());
    xTaskCreate(watch_button, "button", 3072, NULL, 5, NULL);
    start_wifi();

    if (coredock_wait(120000) == ESP_OK) {
        ESP_LOGI(TAG, "nothing is left to send; press BOOT to crash");
    }
}
