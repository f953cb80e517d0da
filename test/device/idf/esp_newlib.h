/* ESP-IDF has it from newlib or a submodule. */
#pragma once
