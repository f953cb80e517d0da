/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* What became of a request, as far as the next one depends on it. */
#pragma once

#include <stdint.h>

typedef enum {
    /* There is nothing left to do. */
    CDK_DONE,
    /* The server was not reached, or something else answered: try again, at once when the network comes up. */
    CDK_UNREACHABLE,
    /* The server cannot take it now. */
    CDK_BUSY,
    /* The server does not take it: only a person can change that. */
    CDK_REFUSED,
} cdk_outcome_t;

/* `status` of an answer that is not the success of this request. */
cdk_outcome_t cdk_outcome_of(int status);
