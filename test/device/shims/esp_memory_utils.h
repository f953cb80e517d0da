#pragma once

#include <stdbool.h>
#include <stdint.h>

bool esp_ptr_in_dram(const void *p);
bool esp_ptr_external_ram(const void *p);
bool esp_stack_ptr_is_sane(uint32_t sp);
