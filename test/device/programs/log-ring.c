/*
 * Several tasks log and set values at the same time, one by three calls a line as log V2 does, and one as an interrupt. Prints
 * what is wrong with the block afterwards, and while they write.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "block.h"
#include "coredock.h"
#include "esp_log.h"
#include "shim.h"

#define TASKS 4
#define LINES 3000

static int quiet(const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
    return 0;
}

static void *write_lines(void *argument)
{
    long task = (long)argument;
    char name[8];
    snprintf(name, sizeof(name), "t%ld", task);
    for (long i = 0; i < LINES; i++) {
        ESP_LOGI(name, "line %ld %.*s", i, (int)(i % 150), "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz");
        coredock_set(name, i);
        coredock_set("shared", task);
    }
    return NULL;
}

static void *interrupt(void *argument)
{
    shim_is_interrupt = true;
    for (long i = 0; i < LINES; i++) {
        ESP_LOGI("isr", "never kept %ld", i);
        coredock_set("isr", i);
    }
    return argument;
}

/* Each line is whole: it begins as a line does. */
static int check(void)
{
    int wrong = 0;
    char line[512];
    size_t length = 0;
    int lines = 0;
    for (uint32_t i = 0; i < cdk_block.log.length; i++) {
        char c = cdk_block.log.text[(cdk_block.log.begin + i) % sizeof(cdk_block.log.text)];
        if (c != '\n') {
            line[length++] = c;
            continue;
        }
        line[length] = '\0';
        length = 0;
        lines++;
        if (strncmp(line, "I (42) t", 8) != 0 || strchr(line, '\x1b') != NULL || strstr(line, "never kept") != NULL) {
            printf("not a line: %s\n", line);
            wrong++;
        }
    }
    if (length != 0 || lines < 10) {
        printf("%d lines, %zu bytes of a part\n", lines, length);
        wrong++;
    }
    return wrong;
}

static int check_values(void)
{
    int wrong = 0;
    for (size_t i = 0; i < CONFIG_COREDOCK_VALUES; i++) {
        const cdk_block_value_t *value = &cdk_block.values[i];
        if (value->sequence % 2 != 0) {
            printf("%s is half written\n", value->name);
            wrong++;
        }
        if (value->name[0] == 't' && value->content.as_int != LINES - 1) {
            printf("%s is %lld\n", value->name, (long long)value->content.as_int);
            wrong++;
        }
    }
    return wrong;
}

/* The buffer of a line may end anywhere: in the text, or in what sets the colour back. */
static int check_lengths(void)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
                                  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
    int wrong = 0;
    for (int length = 60; length < 150; length++) {
        ESP_LOGI("t9", "%.*s", length, letters);
        uint32_t last = (cdk_block.log.begin + cdk_block.log.length - 1) % sizeof(cdk_block.log.text);
        if (cdk_block.log.text[last] != '\n') {
            printf("a text of %d letters has no end of line\n", length);
            wrong++;
        }
    }
    return wrong;
}

int main(void)
{
    shim_start_scheduler();
    esp_log_set_vprintf(quiet);
    coredock_start(&(coredock_config_t){.url = "http://127.0.0.1:1", .model = "thermostat", .serial = "s"});
    pthread_t threads[TASKS + 1];
    for (long i = 0; i < TASKS; i++) {
        pthread_create(&threads[i], NULL, write_lines, (void *)i);
    }
    pthread_create(&threads[TASKS], NULL, interrupt, NULL);
    for (int i = 0; i <= TASKS; i++) {
        pthread_join(threads[i], NULL);
    }
    int wrong = check() + check_values() + check_lengths();
    /* Log V2: prefix, text and end of a line are three calls. */
    shim_log("\033[0;32mI (%u) t9: ", 42u);
    shim_log("in %d calls", 3);
    shim_log("\033[0m\n");
    wrong += check();
    printf("%d\n", wrong);
    return wrong != 0;
}
