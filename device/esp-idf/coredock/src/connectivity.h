/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* When the network can be used. Knows no kind of network: only addresses, or the application's word. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Before any other of these. */
void cdk_network_begin(void);

/* Returns when there is an address, or the application said so. */
void cdk_network_wait(void);

/* Waits. @param until_up returns earlier when the network comes up again */
void cdk_network_pause(uint32_t milliseconds, bool until_up);

/* Stops listening. */
void cdk_network_end(void);
