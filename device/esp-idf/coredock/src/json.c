/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "json.h"

#include "digest.h"

static void add_char(cdk_json_t *json, char c)
{
    if (json->size >= json->begin && json->size < json->end) {
        json->window[json->size - json->begin] = c;
    }
    json->size++;
}

void cdk_json_add(cdk_json_t *json, const char *text)
{
    for (; *text != '\0'; text++) {
        add_char(json, *text);
    }
}

static uint8_t byte_at(const char *text, size_t length, size_t at)
{
    return at < length ? (uint8_t)text[at] : 0;
}

/* Bytes of the character that `text` begins with (RFC 3629); 0: it is none. */
static size_t character_size(const char *text, size_t length)
{
    uint8_t first = byte_at(text, length, 0);
    uint8_t second = byte_at(text, length, 1);
    if (first < 0x80) {
        return 1;
    }
    /* No longer forms than needed, no surrogates, nothing beyond U+10FFFF. */
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || second < least || second > most) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((byte_at(text, length, i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    return size;
}

static void add_ascii(cdk_json_t *json, char c)
{
    if (c == '"' || c == '\\') {
        add_char(json, '\\');
        add_char(json, c);
    } else if (c == '\n') {
        cdk_json_add(json, "\\n");
    } else if (c == '\t') {
        cdk_json_add(json, "\\t");
    } else if (c < ' ' || c == 0x7f) {
        char digits[3];
        cdk_hex(digits, (const uint8_t *)&c, 1);
        cdk_json_add(json, "\\u00");
        cdk_json_add(json, digits);
    } else {
        add_char(json, c);
    }
}

void cdk_json_add_text(cdk_json_t *json, const char *text, size_t length)
{
    for (size_t at = 0; at < length && text[at] != '\0';) {
        size_t size = character_size(text + at, length - at);
        if (size == 1) {
            add_ascii(json, text[at]);
        } else if (size == 0) {
            cdk_json_add(json, "\xef\xbf\xbd"); /* U+FFFD */
        }
        for (size_t i = 0; size > 1 && i < size; i++) {
            add_char(json, text[at + i]);
        }
        at += size == 0 ? 1 : size;
    }
}

void cdk_json_add_address(cdk_json_t *json, uint32_t address)
{
    const uint8_t bytes[4] = {address >> 24, address >> 16, address >> 8, address};
    char digits[9];
    cdk_hex(digits, bytes, sizeof(bytes));
    cdk_json_add(json, "\"0x");
    cdk_json_add(json, digits);
    add_char(json, '"');
}

void cdk_json_add_bytes(cdk_json_t *json, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < length; at += 3) {
        uint32_t bits = (uint32_t)bytes[at] << 16;
        bits |= at + 1 < length ? (uint32_t)bytes[at + 1] << 8 : 0;
        bits |= at + 2 < length ? bytes[at + 2] : 0;
        add_char(json, digits[bits >> 18]);
        add_char(json, digits[bits >> 12 & 63]);
        add_char(json, at + 1 < length ? digits[bits >> 6 & 63] : '=');
        add_char(json, at + 2 < length ? digits[bits & 63] : '=');
    }
}
