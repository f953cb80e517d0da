#pragma once

#include <stddef.h>
#include "esp_err.h"

esp_err_t esp_core_dump_image_check(void);
esp_err_t esp_core_dump_image_get(size_t* out_addr, size_t *out_size);
esp_err_t esp_core_dump_image_erase(void);
