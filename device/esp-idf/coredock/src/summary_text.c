/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
#include "summary_text.h"

#include <string.h>
#include "digest.h"
#include "identity.h"
#include "json.h"

#if CONFIG_COREDOCK_CRASH_SUMMARY

#if CONFIG_IDF_TARGET_ARCH_XTENSA

static const char *const s_registers[CDK_CRASH_REGISTERS] = {
    "pc",  "ps",  "a0",  "a1",  "a2",  "a3",  "a4",  "a5",  "a6",       "a7",       "a8",   "a9",
    "a10", "a11", "a12", "a13", "a14", "a15", "sar", "exccause", "excvaddr", "lbeg", "lend", "lcount",
};
static const char *const s_of_the_cause[] = {"exccause", "excvaddr"};

#else

static const char *const s_registers[CDK_CRASH_REGISTERS] = {
    "mepc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",      "a1",    "a2",     "a3",    "a4",      "a5", "a6", "a7", "s2",
    "s3",   "s4", "s5", "s6", "s7",  "s8",  "s9", "s10", "s11", "t3", "t4",    "t5",    "t6",     "mstatus", "mtvec", "mcause", "mtval", "mhartid",
};
static const char *const s_of_the_cause[] = {"mcause", "mtval"};

#endif

static void add_debug_reason(cdk_json_t *json, const cdk_crash_record_t *crash)
{
    /* By the bits of DEBUGCAUSE, as ESP-IDF names them. */
    static const char *const names[] = {"SingleStep", "HwBreakpoint", NULL, "BREAK instr", "BREAKN instr", "DebugIntr"};
    uint32_t cause = crash->facts.debug_cause;
    if ((cause & 4) != 0 && (cause & 0x100) == 0) {
        cdk_json_add(json, "Watchpoint 0 triggered");
        return;
    }
    if ((cause & 4) != 0) {
#if CONFIG_FREERTOS_WATCHPOINT_END_OF_STACK
        cdk_json_add(json, "Stack canary watchpoint triggered (");
        cdk_json_add_text(json, crash->words.task, sizeof(crash->words.task));
        cdk_json_add(json, ")");
#else
        cdk_json_add(json, "Watchpoint 1 triggered");
#endif
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((cause >> i & 1) != 0 && names[i] != NULL) {
            cdk_json_add(json, names[i]);
            return;
        }
    }
    cdk_json_add(json, "Unhandled debug exception");
}

static void add_reason(cdk_json_t *json, const cdk_crash_record_t *crash)
{
    const char *reason = crash->words.reason;
    cdk_json_add(json, "{\"reason\":\"");
    if (strcmp(reason, "Unhandled debug exception") == 0) {
        add_debug_reason(json, crash);
    } else if (reason[0] != '\0') {
        cdk_json_add_text(json, reason, sizeof(crash->words.reason));
    } else if (crash->facts.kind == CDK_CRASH_TASK_WATCHDOG) {
        cdk_json_add(json, "Task watchdog got triggered.");
    } else {
        cdk_json_add(json, crash->facts.kind == CDK_CRASH_ABORT ? "abort()" : "Unknown");
    }
    cdk_json_add(json, "\"");
}

/* abort() and the task watchdog have no cause: what is there is of how ESP-IDF gets into its panic handler. */
static bool is_meaningless(const cdk_crash_facts_t *facts, const char *name)
{
    return facts->kind != CDK_CRASH_FAULT && (strcmp(name, s_of_the_cause[0]) == 0 || strcmp(name, s_of_the_cause[1]) == 0);
}

static void add_registers(cdk_json_t *json, const cdk_crash_facts_t *facts)
{
    cdk_json_add(json, ",\"pc\":");
    cdk_json_add_address(json, facts->registers[0]);
    const char *before = ",\"registers\":{\"";
    for (size_t i = 0; i < CDK_CRASH_REGISTERS; i++) {
        if (!is_meaningless(facts, s_registers[i])) {
            cdk_json_add(json, before);
            cdk_json_add(json, s_registers[i]);
            cdk_json_add(json, "\":");
            cdk_json_add_address(json, facts->registers[i]);
            before = ",\"";
        }
    }
    cdk_json_add(json, "}");
}

static void add_firmware(cdk_json_t *json, const cdk_crash_facts_t *facts)
{
    char digits[2 * sizeof(facts->elf_sha256) + 1];
    cdk_hex(digits, facts->elf_sha256, sizeof(facts->elf_sha256));
    cdk_json_add(json, ",\"elf_sha256\":\"");
    cdk_json_add(json, digits);
    cdk_json_add(json, "\",\"firmware_version\":\"");
    char version[65];
    cdk_copy_version(version, sizeof(version), facts->firmware_version);
    cdk_json_add(json, version);
    cdk_json_add(json, "\",\"chip\":\"" CONFIG_IDF_TARGET "\"");
}

static void add_trace(cdk_json_t *json, const cdk_crash_record_t *crash)
{
#if CONFIG_IDF_TARGET_ARCH_XTENSA
    const char *before = ",\"backtrace\":[";
    for (size_t i = 0; i < crash->trace.call_count; i++) {
        cdk_json_add(json, before);
        cdk_json_add_address(json, crash->trace.calls[i]);
        before = ",";
    }
    cdk_json_add(json, crash->trace.call_count > 0 ? "]" : "");
#else
    if (crash->trace.stack_size > 0) {
        cdk_json_add(json, ",\"stack\":{\"address\":");
        cdk_json_add_address(json, crash->facts.registers[2]);
        cdk_json_add(json, ",\"data\":\"");
        cdk_json_add_bytes(json, crash->trace.stack, crash->trace.stack_size);
        cdk_json_add(json, "\"}");
    }
#endif
}

static void write_text(cdk_json_t *json, const cdk_summary_text_t *text)
{
    const cdk_crash_record_t *crash = text->crash;
    add_reason(json, crash);
    if (crash->words.task[0] != '\0' && !crash->facts.is_in_interrupt) {
        cdk_json_add(json, ",\"task\":\"");
        cdk_json_add_text(json, crash->words.task, sizeof(crash->words.task));
        cdk_json_add(json, "\"");
    }
    add_registers(json, &crash->facts);
    add_trace(json, crash);
    add_firmware(json, &crash->facts);
    if (crash->log.length > text->log_begin) {
        cdk_json_add(json, ",\"log\":\"");
        cdk_json_add_text(json, crash->log.text + text->log_begin, crash->log.length - text->log_begin);
        cdk_json_add(json, "\"");
    }
    cdk_json_add(json, "}");
}

size_t cdk_summary_size(const cdk_summary_text_t *text)
{
    cdk_json_t json = {0};
    write_text(&json, text);
    return json.size;
}

void cdk_summary_read(const cdk_summary_text_t *text, size_t at, void *buffer, size_t length)
{
    cdk_json_t json = {.window = buffer, .begin = at, .end = at + length};
    write_text(&json, text);
}

#endif
