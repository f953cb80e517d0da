/* ESP-IDF has it from newlib or a submodule. */
#pragma once

typedef int _lock_t;
