#pragma once

#include <stdint.h>
#include "esp_err.h"

typedef enum {
    ESP_MAC_BASE = 5,
    ESP_MAC_EFUSE_FACTORY,
} esp_mac_type_t;

esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type);
