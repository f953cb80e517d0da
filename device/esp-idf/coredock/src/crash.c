/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "crash.h"

#include <string.h>
#include "esp_attr.h"
#include "esp_random.h"
#include "digest.h"

#if CONFIG_COREDOCK_CRASH_SUMMARY

#define RECORD_MAGIC 0xc0de0c5au
#define RECORD_VERSION 1

_Static_assert(sizeof(cdk_crash_record_t) < UINT16_MAX, "its size has 16 bits");

/* Not in RTC memory: some chips have none. */
__NOINIT_ATTR cdk_crash_record_t cdk_crash_record;

/* Parts of an older crash do not fit to these facts. */
#define CRC_OF(part) cdk_crc32(cdk_crash_record.facts.crc, &cdk_crash_record.part, offsetof(typeof(cdk_crash_record.part), crc))

static CDK_PANIC_CODE uint32_t crc_of_facts(void)
{
    return cdk_crc32(0, &cdk_crash_record.facts, offsetof(cdk_crash_facts_t, crc));
}

void CDK_PANIC_CODE cdk_crash_seal_facts(void)
{
    cdk_crash_record.facts.magic = RECORD_MAGIC;
    cdk_crash_record.facts.version = RECORD_VERSION;
    cdk_crash_record.facts.size = sizeof(cdk_crash_record);
    cdk_crash_record.facts.crc = crc_of_facts();
}

void CDK_PANIC_CODE cdk_crash_seal_words(void)
{
    cdk_crash_record.words.crc = CRC_OF(words);
}

void CDK_PANIC_CODE cdk_crash_seal_trace(void)
{
    cdk_crash_record.trace.crc = CRC_OF(trace);
}

void CDK_PANIC_CODE cdk_crash_seal_log(void)
{
    cdk_crash_record.log.crc = CRC_OF(log);
}

static bool has_facts(void)
{
    const cdk_crash_facts_t *facts = &cdk_crash_record.facts;
    return facts->magic == RECORD_MAGIC && facts->version == RECORD_VERSION && facts->size == sizeof(cdk_crash_record) &&
           facts->crc == crc_of_facts();
}

/* Empties the parts that are damaged, so that nobody else has to ask. */
static void mend(void)
{
    cdk_crash_record_t *record = &cdk_crash_record;
    if (record->words.crc != CRC_OF(words)) {
        memset(&record->words, 0, sizeof(record->words));
        cdk_crash_seal_words();
    }
    if (record->trace.crc != CRC_OF(trace)) {
        memset(&record->trace, 0, sizeof(record->trace));
        cdk_crash_seal_trace();
    }
    if (record->log.crc != CRC_OF(log)) {
        memset(&record->log, 0, sizeof(record->log));
        cdk_crash_seal_log();
    }
    if (record->name.crc != CRC_OF(name)) {
        esp_fill_random(record->name.id, sizeof(record->name.id));
        record->name.crc = CRC_OF(name);
    }
}

const cdk_crash_record_t *cdk_crash_find(void)
{
    if (!has_facts()) {
        return NULL;
    }
    mend();
    return &cdk_crash_record;
}

void cdk_crash_forget(void)
{
    cdk_crash_record.facts.magic = 0;
}

#else /* CONFIG_COREDOCK_CRASH_SUMMARY is off. */

const cdk_crash_record_t *cdk_crash_find(void)
{
    return NULL;
}

void cdk_crash_forget(void)
{
}

#endif
