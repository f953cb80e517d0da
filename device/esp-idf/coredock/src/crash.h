/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/*
 * What a panic leaves in memory that survives the restart, for crashes of which no dump is written. panic.c fills it in, the next
 * run sends it (summary.c).
 *
 * Each part has a CRC-32 that goes on from the one of the facts: when the panic handler itself crashes half-way, or memory was
 * damaged, the parts that are whole are used. After power was lost, or with another firmware that has another layout, there
 * are no facts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "options.h"

#if CONFIG_IDF_TARGET_ARCH_XTENSA
/* PC, PS, A0 to A15, SAR, EXCCAUSE, EXCVADDR, LBEG, LEND, LCOUNT. */
#define CDK_CRASH_REGISTERS 24
#define CDK_CRASH_CALLS 32
#else
/* As RvExcFrame has them: MEPC, RA, SP, … */
#define CDK_CRASH_REGISTERS 37
#endif

enum { CDK_CRASH_FAULT = 1, CDK_CRASH_ABORT = 2, CDK_CRASH_TASK_WATCHDOG = 3 };

typedef struct {
    uint32_t magic;
    uint16_t version;
    /* Of the whole record. */
    uint16_t size;
    /* Of the firmware that crashed: another one may run when it is sent. */
    uint8_t elf_sha256[32];
    char firmware_version[68];
    /* As in the block (block-format.md); zeros before coredock_start. */
    uint8_t boot_id[8];
    uint8_t kind;
    /* 1: an interrupt handler crashed, and `task` is the one that it had interrupted. */
    uint8_t is_in_interrupt;
    uint16_t reserved;
    /* DEBUGCAUSE of Xtensa; it counts for debug exceptions only. */
    uint32_t debug_cause;
    uint32_t registers[CDK_CRASH_REGISTERS];
    uint32_t crc;
} cdk_crash_facts_t;

typedef struct {
    /* The exception, or the text of abort() or assert(); empty without one. Ended by NUL. */
    char reason[200];
    char task[24];
    uint32_t crc;
} cdk_crash_words_t;

typedef struct {
#if CONFIG_IDF_TARGET_ARCH_XTENSA
    /* As ESP-IDF prints them: 3 less than the return address, or than the PC of the first one. */
    uint32_t calls[CDK_CRASH_CALLS];
    uint32_t call_count;
#else
    /* From the stack pointer. */
    uint8_t stack[CONFIG_COREDOCK_CRASH_STACK_SIZE];
    uint32_t stack_size;
#endif
    uint32_t crc;
} cdk_crash_trace_t;

typedef struct {
    char text[CONFIG_COREDOCK_CRASH_LOG_SIZE + 4];
    uint32_t length;
    uint32_t crc;
} cdk_crash_log_t;

typedef struct {
    /* Random, given by the first run that finds the record: two crashes never have the same. */
    uint8_t id[8];
    uint32_t crc;
} cdk_crash_name_t;

typedef struct {
    cdk_crash_facts_t facts;
    cdk_crash_words_t words;
    cdk_crash_trace_t trace;
    cdk_crash_log_t log;
    cdk_crash_name_t name;
} cdk_crash_record_t;

/* From now on panics are remembered. Once, in coredock_start. */
void cdk_crash_listen(void);

/*
 * The crash that is not sent yet, with what is damaged in it left empty; NULL: there is none, or it is not known any more. It
 * stays valid and the same until cdk_crash_forget.
 */
const cdk_crash_record_t *cdk_crash_find(void);

void cdk_crash_forget(void);

/* What panic.c and the others share. */
extern cdk_crash_record_t cdk_crash_record;
void cdk_crash_seal_facts(void);
void cdk_crash_seal_words(void);
void cdk_crash_seal_trace(void);
void cdk_crash_seal_log(void);
