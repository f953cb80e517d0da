/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* What memory that survives a restart tells: how long the run before took, and how many boots there were. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Once, at the beginning of a run. @return boots since power was applied, 1 for the first */
uint32_t cdk_last_run_begin(void);

/* Seconds of the run that ended, to within ten, or of a remembered crash exactly; false if power was lost since. */
bool cdk_last_run_uptime(uint32_t *seconds);

/* Notes how long this run took up to now; also from the panic handler. */
void cdk_last_run_note(void);

/* Notes it again and again from now on. Needs the scheduler. */
void cdk_last_run_watch(void);
