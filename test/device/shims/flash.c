/* The partition and the core dump component: what flash can do (clear bits, set them by the sector), and what it cannot. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "esp_core_dump.h"
#include "esp_partition.h"
#include "shim.h"

#define SECTOR_SIZE 4096
#define MAX_SIZE (256 * 1024)
#define ADDRESS 0x110000

static int s_file = -1;
static esp_partition_t s_partition = {
    .type = ESP_PARTITION_TYPE_DATA,
    .subtype = ESP_PARTITION_SUBTYPE_DATA_COREDUMP,
    .address = ADDRESS,
    .erase_size = SECTOR_SIZE,
    .label = "coredump",
};

static void die(const char *what)
{
    perror(what);
    _exit(70);
}

void shim_flash_open(void)
{
    const char *path = getenv("DEVICE_FLASH");
    if (path == NULL || path[0] == '\0') {
        return; /* A device without such a partition. */
    }
    s_file = open(path, O_RDWR | O_CREAT, 0600);
    off_t size = s_file < 0 ? -1 : lseek(s_file, 0, SEEK_END);
    if (size <= 0 || size > MAX_SIZE) {
        die(path);
    }
    s_partition.size = (uint32_t)size;
    s_partition.encrypted = shim_number("DEVICE_ENCRYPTED", 0) != 0;
}

/* Not a cipher, but like one: what is stored depends on the address, and erased flash reads as noise. */
static uint8_t key_at(size_t offset)
{
    uint64_t x = (offset / 16 + 1) * 0x9e3779b97f4a7c15ULL;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 32;
    return s_partition.encrypted ? (uint8_t)(x >> (8 * (offset % 8))) : 0;
}

static void load(size_t offset, uint8_t *bytes, size_t size)
{
    if (pread(s_file, bytes, size, (off_t)offset) != (ssize_t)size) {
        die("pread");
    }
}

static void store(size_t offset, const uint8_t *bytes, size_t size)
{
    if (pwrite(s_file, bytes, size, (off_t)offset) != (ssize_t)size) {
        die("pwrite");
    }
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label)
{
    (void)label;
    shim_step("esp_partition_find_first");
    bool is_it = s_file >= 0 && type == s_partition.type && subtype == s_partition.subtype;
    return is_it ? &s_partition : NULL;
}

static bool is_inside(const esp_partition_t *partition, size_t offset, size_t size)
{
    return partition == &s_partition && offset <= partition->size && size <= partition->size - offset;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    shim_step("esp_partition_read");
    if (!is_inside(partition, src_offset, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    static long reads;
    if (reads++ < shim_number("DEVICE_FAILING_READS", 0)) {
        return ESP_FAIL;
    }
    uint8_t *bytes = dst;
    load(src_offset, bytes, size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= key_at(src_offset + i);
    }
    return ESP_OK;
}

/* Programming clears bits; power may be lost when only some of the bytes are written. */
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size)
{
    shim_step("esp_partition_write");
    if (!is_inside(partition, dst_offset, size) || (partition->encrypted && (dst_offset % 16 != 0 || size % 16 != 0))) {
        return ESP_ERR_INVALID_SIZE;
    }
    const uint8_t *bytes = src;
    static uint8_t cells[MAX_SIZE];
    load(dst_offset, cells, size);
    for (size_t i = 0; i < size; i++) {
        cells[i] &= bytes[i] ^ key_at(dst_offset + i);
        if (size <= 2 * 16) {
            store(dst_offset + i, &cells[i], 1);
            shim_step("programming a byte");
        }
    }
    store(dst_offset, cells, size);
    return ESP_OK;
}

/*
 * In the middle of an erase a sector holds anything between what was there and ones. The worst case: its beginning, with
 * the length of the dump, is what changes last.
 */
static void erase_sector(size_t offset)
{
    uint8_t sector[SECTOR_SIZE];
    size_t size = s_partition.size - offset < SECTOR_SIZE ? s_partition.size - offset : SECTOR_SIZE;
    load(offset, sector, size);
    memset(sector + size / 2, 0xff, size - size / 2);
    store(offset, sector, size);
    shim_step("half a sector erased");
    unsigned seed = (unsigned)offset + 1;
    for (size_t i = 8; i < size; i++) {
        seed = seed * 1103515245u + 12345u;
        sector[i] |= (uint8_t)(seed >> 16);
    }
    store(offset, sector, size);
    shim_step("in the middle of an erase");
    memset(sector, 0xff, size);
    store(offset, sector, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    shim_step("esp_partition_erase_range");
    if (!is_inside(partition, offset, size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (shim_number("DEVICE_ERASE_FAILS", 0) != 0) {
        return ESP_FAIL;
    }
    for (size_t at = offset; at < offset + size; at += SECTOR_SIZE) {
        shim_step("erasing a sector");
        erase_sector(at);
    }
    return ESP_OK;
}

esp_err_t esp_core_dump_image_get(size_t *out_addr, size_t *out_size)
{
    shim_step("esp_core_dump_image_get");
    if (out_addr == NULL || out_size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (s_file < 0) {
        return ESP_ERR_NOT_FOUND;
    }
    uint32_t length;
    esp_err_t err = esp_partition_read(&s_partition, 0, &length, sizeof(length));
    if (err != ESP_OK) {
        return err;
    }
    if (length == 0xffffffff) {
        /* Blank: this way up to 5.5, the other one since 6.0. */
        return shim_number("DEVICE_IDF", 5) < 6 ? ESP_ERR_INVALID_SIZE : ESP_ERR_NOT_FOUND;
    }
    if (length < sizeof(length) || length > s_partition.size) {
        return ESP_ERR_INVALID_SIZE;
    }
    *out_addr = s_partition.address;
    *out_size = length;
    return ESP_OK;
}

/* The tests' dumps end with a CRC-32, as zlib computes it. */
esp_err_t esp_core_dump_image_check(void)
{
    size_t address;
    size_t size;
    esp_err_t err = esp_core_dump_image_get(&address, &size);
    if (err != ESP_OK) {
        return err;
    }
    static uint8_t image[MAX_SIZE];
    err = esp_partition_read(&s_partition, 0, image, size);
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size - 4; i++) {
        crc ^= image[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
        }
    }
    crc = ~crc;
    return err != ESP_OK || memcmp(&crc, image + size - 4, 4) == 0 ? err : ESP_ERR_INVALID_CRC;
}

esp_err_t esp_core_dump_image_erase(void)
{
    shim_step("esp_core_dump_image_erase");
    if (s_file < 0) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = esp_partition_erase_range(&s_partition, 0, s_partition.size);
    uint32_t blank[4] = {0xffffffff};
    return err == ESP_OK ? esp_partition_write(&s_partition, 0, blank, sizeof(blank)) : err;
}

void shim_save_dump(const uint8_t *image, size_t size)
{
    if (size > s_partition.size) {
        die("the dump is too large");
    }
    /* Only as many sectors as the dump needs: what is behind them stays. */
    size_t erased = (size + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
    esp_partition_erase_range(&s_partition, 0, erased < s_partition.size ? erased : s_partition.size);
    size_t padded = (size + 15) / 16 * 16;
    uint8_t *cells = malloc(padded);
    memset(cells, 0xff, padded);
    memcpy(cells, image, size);
    esp_partition_write(&s_partition, 0, cells, padded);
    free(cells);
}
