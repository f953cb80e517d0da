/* ESP-IDF has it from newlib or a submodule. */
#pragma once

typedef struct mbedtls_ssl_config mbedtls_ssl_config;
typedef struct mbedtls_x509_crt mbedtls_x509_crt;
