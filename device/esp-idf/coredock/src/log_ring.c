/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "log_ring.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "esp_log.h"
#include "block.h"

#if CONFIG_COREDOCK_LOG_RING_SIZE > 0

_Static_assert(CONFIG_COREDOCK_LOG_RING_SIZE >= CONFIG_COREDOCK_LOG_LINE_MAX,
               "COREDOCK_LOG_RING_SIZE must be 0 or at least COREDOCK_LOG_LINE_MAX");

/* Until the first swap is complete, another core may need it: this is what ESP-IDF begins with. */
static vprintf_like_t s_former = vprintf;

static CDK_PANIC_CODE char byte_at(uint32_t offset)
{
    return cdk_block.log.text[offset % CONFIG_COREDOCK_LOG_RING_SIZE];
}

/* Forgets whole lines, until `needed` bytes are free. The lock is held. */
static void make_room(uint32_t needed)
{
    cdk_block_log_t *log = &cdk_block.log;
    uint32_t dropped = 0;
    while (log->length - dropped > CONFIG_COREDOCK_LOG_RING_SIZE - needed) {
        while (dropped < log->length && byte_at(log->begin + dropped) != '\n') {
            dropped++;
        }
        dropped = dropped < log->length ? dropped + 1 : dropped;
    }
    /* In this order: a crash in between costs the newest bytes, and shows none that are overwritten. */
    __atomic_store_n(&log->length, log->length - dropped, __ATOMIC_SEQ_CST);
    __atomic_store_n(&log->begin, (log->begin + dropped) % CONFIG_COREDOCK_LOG_RING_SIZE, __ATOMIC_SEQ_CST);
}

static void append(const char *text, size_t length)
{
    cdk_block_log_t *log = &cdk_block.log;
    portENTER_CRITICAL_SAFE(&cdk_block_lock);
    make_room(length);
    for (size_t i = 0; i < length; i++) {
        log->text[(log->begin + log->length + i) % CONFIG_COREDOCK_LOG_RING_SIZE] = text[i];
    }
    /* Last: bytes beyond the length are not read. */
    __atomic_store_n(&log->length, log->length + length, __ATOMIC_SEQ_CST);
    portEXIT_CRITICAL_SAFE(&cdk_block_lock);
}

/* Where an escape sequence (ESC [ … letter) that begins at `at` ends. A line that was cut may end within one: then this is
 * the end of the line, which stays. */
static size_t end_of_escape(const char *text, size_t length, size_t at)
{
    at++;
    if (at < length && text[at] == '[') {
        at++;
        while (at < length && text[at] >= ' ' && text[at] <= '?') {
            at++;
        }
    }
    return at < length && text[at] >= '@' && text[at] <= '~' ? at + 1 : at;
}

/* Removes colours and carriage returns; returns the new length. */
static size_t without_colours(char *text, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < length;) {
        if (text[i] == '\x1b') {
            i = end_of_escape(text, length, i);
        } else if (text[i] == '\r') {
            i++;
        } else {
            text[kept++] = text[i++];
        }
    }
    return kept;
}

/*
 * Takes bytes, not lines: log V1 calls once for a line, V2 three times, the Wi-Fi library as it likes. Its buffer is on
 * the stack of whoever logs, and is given back before the former function runs.
 */
static __attribute__((noinline)) void record(const char *format, va_list arguments)
{
    char text[CONFIG_COREDOCK_LOG_LINE_MAX];
    int printed = vsnprintf(text, sizeof(text), format, arguments);
    if (printed <= 0) {
        return;
    }
    size_t length = printed;
    if (length >= sizeof(text)) {
        length = sizeof(text) - 1;
        size_t format_length = strlen(format);
        if (format_length > 0 && format[format_length - 1] == '\n') {
            text[length - 1] = '\n';
        }
    }
    length = without_colours(text, length);
    if (length > 0) {
        append(text, length);
    }
}

static int on_log(const char *format, va_list arguments)
{
    /* An interrupt has a small stack: its lines are printed, but not kept. */
    if (!xPortInIsrContext()) {
        va_list copy;
        va_copy(copy, arguments);
        record(format, copy);
        va_end(copy);
    }
    return s_former(format, arguments);
}

void cdk_log_ring_start(void)
{
    s_former = esp_log_set_vprintf(on_log);
}

uint32_t CDK_PANIC_CODE cdk_log_ring_copy(char *to, uint32_t size)
{
    /* Whoever wrote wildly may have written here too. */
    uint32_t begin = cdk_block.log.begin % CONFIG_COREDOCK_LOG_RING_SIZE;
    uint32_t length = cdk_block.log.length;
    length = length <= CONFIG_COREDOCK_LOG_RING_SIZE ? length : CONFIG_COREDOCK_LOG_RING_SIZE;
    if (length > size) {
        begin += length - size;
        length = size;
        while (length > 0 && byte_at(begin - 1) != '\n') {
            begin++;
            length--;
        }
    }
    for (uint32_t i = 0; i < length; i++) {
        to[i] = byte_at(begin + i);
    }
    return length;
}

#else

void cdk_log_ring_start(void)
{
}

uint32_t CDK_PANIC_CODE cdk_log_ring_copy(char *to, uint32_t size)
{
    (void)to;
    (void)size;
    return 0;
}

#endif
