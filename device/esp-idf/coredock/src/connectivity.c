/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "connectivity.h"

#include <stdatomic.h>
#include <stddef.h>
#include "esp_event.h"
#include "esp_idf_version.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "coredock.h"

/* How often to look for the default event loop, which the application may create late or never. */
#define LOOK_MS 1000
/* pdMS_TO_TICKS overflows with more than an hour. */
#define LONGEST_SLICE_MS 60000

static atomic_bool s_is_up;
static bool s_is_listening;
static StaticSemaphore_t s_came_up_memory;
static SemaphoreHandle_t s_came_up;

void coredock_network_up(void)
{
    atomic_store(&s_is_up, true);
    if (s_came_up != NULL) {
        xSemaphoreGive(s_came_up);
    }
}

static void on_address(void *argument, esp_event_base_t base, int32_t id, void *data)
{
    (void)argument;
    (void)base;
    (void)data;
    if (id == IP_EVENT_STA_GOT_IP || id == IP_EVENT_ETH_GOT_IP || id == IP_EVENT_PPP_GOT_IP || id == IP_EVENT_GOT_IP6) {
        coredock_network_up();
    }
}

/* The address may have come before anybody listened. */
static bool has_address(void)
{
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 1, 0)
    esp_netif_t *netif = esp_netif_get_default_netif();
#else
    esp_netif_t *netif = esp_netif_get_handle_from_ifkey("WIFI_STA_DEF");
    if (netif == NULL) {
        netif = esp_netif_get_handle_from_ifkey("ETH_DEF");
    }
#endif
    esp_netif_ip_info_t ip = {0};
    return netif != NULL && esp_netif_is_netif_up(netif) && esp_netif_get_ip_info(netif, &ip) == ESP_OK && ip.ip.addr != 0;
}

/* False while there is no default event loop. */
static bool listen_for_addresses(void)
{
    if (!s_is_listening && esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_address, NULL) == ESP_OK) {
        s_is_listening = true;
        if (has_address()) {
            coredock_network_up();
        }
    }
    return s_is_listening;
}

void cdk_network_begin(void)
{
    s_came_up = xSemaphoreCreateBinaryStatic(&s_came_up_memory);
}

void cdk_network_wait(void)
{
    /* Never tried without a sign: without a network stack, opening a socket would end in an assertion. */
    listen_for_addresses();
    while (!atomic_load(&s_is_up)) {
        xSemaphoreTake(s_came_up, pdMS_TO_TICKS(LOOK_MS));
        listen_for_addresses();
    }
}

void cdk_network_pause(uint32_t milliseconds, bool until_up)
{
    int64_t end = esp_timer_get_time() + (int64_t)milliseconds * 1000;
    /* A sign from before the pause says nothing. */
    xSemaphoreTake(s_came_up, 0);
    for (int64_t left; (left = (end - esp_timer_get_time() + 999) / 1000) > 0;) {
        uint32_t slice = left < LONGEST_SLICE_MS ? (uint32_t)left : LONGEST_SLICE_MS;
        listen_for_addresses();
        if (xSemaphoreTake(s_came_up, pdMS_TO_TICKS(slice) + 1) == pdTRUE && until_up) {
            return;
        }
    }
}

void cdk_network_end(void)
{
    if (s_is_listening) {
        esp_event_handler_unregister(IP_EVENT, ESP_EVENT_ANY_ID, on_address);
        s_is_listening = false;
    }
}
