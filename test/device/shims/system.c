/* The rest of ESP-IDF that the component needs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "esp_app_desc.h"
#include "esp_crt_bundle.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_netif.h"
#include "esp_random.h"
#include "esp_system.h"
#include "shim.h"

const char *esp_err_to_name(esp_err_t code)
{
    static _Thread_local char name[16];
    snprintf(name, sizeof(name), "0x%x", (unsigned)code);
    return name;
}

static int print(const char *format, va_list arguments)
{
    return vfprintf(stderr, format, arguments);
}

static vprintf_like_t s_print = print;

vprintf_like_t esp_log_set_vprintf(vprintf_like_t func)
{
    return __atomic_exchange_n(&s_print, func, __ATOMIC_SEQ_CST);
}

void shim_log(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    __atomic_load_n(&s_print, __ATOMIC_SEQ_CST)(format, arguments);
    va_end(arguments);
}

const esp_app_desc_t *esp_app_get_description(void)
{
    static esp_app_desc_t description = {
        .magic_word = 0xabcd5432,
        .version = "1.2.3",
        .project_name = "thermostat",
        .app_elf_sha256 = {0xde, 0xad, 0xbe, 0xef},
    };
    const char *version = getenv("DEVICE_VERSION");
    if (version != NULL) {
        strncpy(description.version, version, sizeof(description.version) - 1);
    }
    const char *elf_sha256 = getenv("DEVICE_ELF_SHA256");
    for (size_t i = 0; elf_sha256 != NULL && i < sizeof(description.app_elf_sha256); i++) {
        sscanf(elf_sha256 + 2 * i, "%2hhx", &description.app_elf_sha256[i]);
    }
    return &description;
}

/* As on chips with IEEE 802.15.4: six bytes would overflow. */
esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    shim_step("esp_efuse_mac_get_default");
    memcpy(mac, "\x7c\xdf\xa1\xe5\xd3\xc8\xff\xfe", 8);
    return ESP_OK;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    shim_step("esp_read_mac");
    if (type != ESP_MAC_EFUSE_FACTORY) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    return esp_efuse_mac_get_default(mac);
}

uint32_t esp_random(void)
{
    static _Thread_local uint64_t state;
    if (state == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        state = ((uint64_t)now.tv_nsec << 20) ^ (uint64_t)now.tv_sec ^ ((uint64_t)getpid() << 40);
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

void esp_fill_random(void *buf, size_t len)
{
    for (uint8_t *at = buf; len > 0; len--) {
        *at++ = (uint8_t)esp_random();
    }
}

esp_reset_reason_t esp_reset_reason(void)
{
    if (!shim_is_scheduling()) {
        return ESP_RST_UNKNOWN; /* Its constructor was not called yet. */
    }
    return (esp_reset_reason_t)shim_number("DEVICE_RESET_REASON", ESP_RST_POWERON);
}

esp_err_t esp_crt_bundle_attach(void *conf)
{
    (void)conf;
    return ESP_OK;
}

extern char __start_noinit[];
extern char __stop_noinit[];

static void noinit_file(const char *mode, size_t (*transfer)(FILE *))
{
    const char *path = getenv("DEVICE_NOINIT");
    FILE *file = path == NULL ? NULL : fopen(path, mode);
    if (file != NULL) {
        transfer(file);
        fclose(file);
    }
}

static size_t read_noinit(FILE *file)
{
    return fread(__start_noinit, 1, (size_t)(__stop_noinit - __start_noinit), file);
}

static size_t write_noinit(FILE *file)
{
    return fwrite(__start_noinit, 1, (size_t)(__stop_noinit - __start_noinit), file);
}

void shim_noinit_load(void)
{
    noinit_file("rb", read_noinit);
}

void shim_noinit_save(void)
{
    noinit_file("wb", write_noinit);
}

esp_event_base_t const IP_EVENT = "IP_EVENT";

struct esp_netif_obj {
    esp_netif_ip_info_t ip;
};
static esp_netif_t s_netif;
static bool s_has_event_loop;
static esp_event_handler_t s_handler;

void shim_event_loop_create(void)
{
    s_has_event_loop = true;
}

void shim_post_address(void)
{
    s_netif.ip.ip.addr = 0x0100a8c0;
    if (s_handler != NULL) {
        s_handler(NULL, IP_EVENT, IP_EVENT_STA_GOT_IP, NULL);
    }
}

esp_err_t esp_event_handler_register(esp_event_base_t event_base, int32_t event_id, esp_event_handler_t event_handler,
                                     void *event_handler_arg)
{
    (void)event_base;
    (void)event_id;
    (void)event_handler_arg;
    shim_step("esp_event_handler_register");
    if (!s_has_event_loop) {
        return ESP_ERR_INVALID_STATE;
    }
    s_handler = event_handler;
    return ESP_OK;
}

esp_err_t esp_event_handler_unregister(esp_event_base_t event_base, int32_t event_id, esp_event_handler_t event_handler)
{
    (void)event_base;
    (void)event_id;
    (void)event_handler;
    shim_step("esp_event_handler_unregister");
    s_handler = NULL;
    return ESP_OK;
}

esp_netif_t *esp_netif_get_default_netif(void)
{
    return s_netif.ip.ip.addr == 0 ? NULL : &s_netif;
}

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key)
{
    return strcmp(if_key, "ETH_DEF") == 0 ? &s_netif : NULL;
}

bool esp_netif_is_netif_up(esp_netif_t *esp_netif)
{
    return esp_netif != NULL;
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info)
{
    *ip_info = esp_netif->ip;
    return ESP_OK;
}
