#pragma once

#include "esp_system.h"

esp_reset_reason_t esp_reset_reason_get_hint(void);
