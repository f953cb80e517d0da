/*
 * SPDX-FileCopyrightText: 2026 The Coredock authors
 * SPDX-License-Identifier: MIT
 */
/* Named values, in slots of the block. */
#include <string.h>
#include "block.h"

#if CONFIG_COREDOCK_VALUES > 0

/* The slot of `name`, else a free one, else NULL. */
static cdk_block_value_t *slot_for(const char *name)
{
    cdk_block_value_t *unused = NULL;
    for (size_t i = 0; i < CONFIG_COREDOCK_VALUES; i++) {
        cdk_block_value_t *slot = &cdk_block.values[i];
        if (slot->type == CDK_VALUE_NONE) {
            unused = unused == NULL ? slot : unused;
        } else if (strcmp(slot->name, name) == 0) {
            return slot;
        }
    }
    return unused;
}

/* Bytes of `text` that fit, without a part of a character at the end. */
static size_t length_of(const char *text)
{
    size_t length = strnlen(text, COREDOCK_TEXT_MAX + 1);
    if (length <= COREDOCK_TEXT_MAX) {
        return length;
    }
    length = COREDOCK_TEXT_MAX;
    while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) {
        length--;
    }
    return length;
}

static esp_err_t set(const char *name, const cdk_block_value_t *value)
{
    if (name == NULL || name[0] == '\0' || strnlen(name, COREDOCK_NAME_MAX + 1) > COREDOCK_NAME_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    portENTER_CRITICAL_SAFE(&cdk_block_lock);
    cdk_block_value_t *slot = slot_for(name);
    if (slot != NULL) {
        /* A crash between the two leaves an odd number, and the reader knows that the slot is half written. */
        __atomic_store_n(&slot->sequence, slot->sequence + 1, __ATOMIC_SEQ_CST);
        slot->type = value->type;
        slot->text_length = value->text_length;
        strcpy(slot->name, name);
        slot->content = value->content;
        __atomic_store_n(&slot->sequence, slot->sequence + 1, __ATOMIC_SEQ_CST);
    }
    portEXIT_CRITICAL_SAFE(&cdk_block_lock);
    return slot == NULL ? ESP_ERR_NO_MEM : ESP_OK;
}

esp_err_t coredock_set_int(const char *name, int64_t value)
{
    return set(name, &(cdk_block_value_t){.type = CDK_VALUE_INT, .content.as_int = value});
}

esp_err_t coredock_set_float(const char *name, double value)
{
    return set(name, &(cdk_block_value_t){.type = CDK_VALUE_FLOAT, .content.as_float = value});
}

esp_err_t coredock_set_text(const char *name, const char *value)
{
    cdk_block_value_t text = {.type = CDK_VALUE_TEXT};
    if (value != NULL) {
        text.text_length = (uint8_t)length_of(value);
        memcpy(text.content.as_text, value, text.text_length);
    }
    return set(name, &text);
}

esp_err_t coredock_unset(const char *name)
{
    if (name == NULL || name[0] == '\0') {
        return ESP_ERR_NOT_FOUND;
    }
    portENTER_CRITICAL_SAFE(&cdk_block_lock);
    cdk_block_value_t *slot = slot_for(name);
    bool is_set = slot != NULL && slot->type != CDK_VALUE_NONE;
    if (is_set) {
        slot->type = CDK_VALUE_NONE;
    }
    portEXIT_CRITICAL_SAFE(&cdk_block_lock);
    return is_set ? ESP_OK : ESP_ERR_NOT_FOUND;
}

#else /* CONFIG_COREDOCK_VALUES is 0: calls stay in the application and do nothing. */

esp_err_t coredock_set_int(const char *name, int64_t value)
{
    (void)name;
    (void)value;
    return ESP_ERR_NO_MEM;
}

esp_err_t coredock_set_float(const char *name, double value)
{
    (void)name;
    (void)value;
    return ESP_ERR_NO_MEM;
}

esp_err_t coredock_set_text(const char *name, const char *value)
{
    (void)name;
    (void)value;
    return ESP_ERR_NO_MEM;
}

esp_err_t coredock_unset(const char *name)
{
    (void)name;
    return ESP_ERR_NOT_FOUND;
}

#endif
