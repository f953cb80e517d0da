/*
 * esp_http_client over sockets of the host, without TLS: what it does with open, write, fetch_headers and read, with its
 * results for cut and slow connections.
 */
#include "esp_http_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "shim.h"

#define MAX_HEADERS 8
#define MAX_INPUT 4096

struct esp_http_client {
    esp_http_client_config_t config;
    char host[64];
    char port[8];
    char path[1024];
    char headers[MAX_HEADERS][2048];
    int header_count;
    int socket;
    int status;
    int64_t content_length;
    /* What arrived, and was not read yet. */
    char input[MAX_INPUT];
    size_t begin;
    size_t end;
};

static void wrong_use(const char *what)
{
    fprintf(stderr, "esp_http_client is used wrongly: %s\n", what);
    abort();
}

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    shim_step("esp_http_client_init");
    if (shim_number("DEVICE_NO_CLIENT", 0) != 0) {
        return NULL;
    }
    struct esp_http_client *client = calloc(1, sizeof(*client));
    client->config = *config;
    client->socket = -1;
    if (sscanf(config->url, "http://%63[^:/]:%7[0-9]%1023s", client->host, client->port, client->path) != 3) {
        wrong_use(config->url);
    }
    return client;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    shim_step("esp_http_client_set_header");
    if (client->header_count == MAX_HEADERS) {
        return ESP_ERR_NO_MEM;
    }
    char *header = client->headers[client->header_count++];
    int length = snprintf(header, sizeof(client->headers[0]), "%s: %s\r\n", key, value);
    /* Before 6.2 such a header was left out, or the head was never sent. */
    if (length >= client->config.buffer_size_tx) {
        wrong_use("a header that does not fit into buffer_size_tx");
    }
    return ESP_OK;
}

static int connect_to(const struct esp_http_client *client)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(client->host, client->port, &hints, &found) != 0) {
        return -1;
    }
    int made = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval timeout = {
        .tv_sec = client->config.timeout_ms / 1000,
        .tv_usec = client->config.timeout_ms % 1000 * 1000,
    };
    int on = 1;
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(made, found->ai_addr, found->ai_addrlen) != 0) {
        close(made);
        made = -1;
    }
    freeaddrinfo(found);
    return made;
}

static bool send_all(int socket, const char *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send(socket, bytes + sent, length - sent, MSG_NOSIGNAL);
        if (count <= 0) {
            return false;
        }
        sent += (size_t)count;
    }
    return true;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_len)
{
    shim_step("esp_http_client_open");
    if (write_len < 0) {
        wrong_use("a body without a length, which older releases do not frame");
    }
    client->socket = connect_to(client);
    if (client->socket < 0) {
        return ESP_ERR_HTTP_CONNECT;
    }
    shim_step("connected");
    char head[4096];
    int first = snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n", client->path);
    if (first >= client->config.buffer_size_tx) {
        wrong_use("an address that does not fit into buffer_size_tx");
    }
    size_t length = (size_t)snprintf(head, sizeof(head),
                                     "POST %s HTTP/1.1\r\nHost: %s:%s\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nContent-Length: %d\r\n",
                                     client->path, client->host, client->port, write_len);
    for (int i = 0; i < client->header_count; i++) {
        length += (size_t)snprintf(head + length, sizeof(head) - length, "%s", client->headers[i]);
    }
    length += (size_t)snprintf(head + length, sizeof(head) - length, "\r\n");
    bool is_sent = send_all(client->socket, head, length);
    shim_step("head sent");
    return is_sent ? ESP_OK : ESP_ERR_HTTP_WRITE_DATA;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *buffer, int len)
{
    shim_step("esp_http_client_write");
    if (send_all(client->socket, buffer, (size_t)len)) {
        return len;
    }
    return errno == EAGAIN ? 0 : -1;
}

/* True when there is at least one byte. */
static bool fill(struct esp_http_client *client)
{
    if (client->begin < client->end) {
        return true;
    }
    shim_step("reading from the network");
    ssize_t count = recv(client->socket, client->input, sizeof(client->input), 0);
    client->begin = 0;
    client->end = count > 0 ? (size_t)count : 0;
    return count > 0;
}

static bool read_line(struct esp_http_client *client, char *line, size_t size)
{
    size_t length = 0;
    while (fill(client)) {
        char c = client->input[client->begin++];
        if (c == '\n') {
            line[length > 0 && line[length - 1] == '\r' ? length - 1 : length] = '\0';
            return true;
        }
        if (length + 1 < size) {
            line[length++] = c;
        }
    }
    return false;
}

static void take_header(struct esp_http_client *client, char *line)
{
    char *value = strchr(line, ':');
    if (value == NULL) {
        return;
    }
    *value++ = '\0';
    value += strspn(value, " ");
    if (strcasecmp(line, "Content-Length") == 0) {
        client->content_length = strtoll(value, NULL, 10);
    }
    esp_http_client_event_t event = {
        .event_id = HTTP_EVENT_ON_HEADER,
        .client = client,
        .user_data = client->config.user_data,
        .header_key = line,
        .header_value = value,
    };
    client->config.event_handler(&event);
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    shim_step("esp_http_client_fetch_headers");
    client->status = -1;
    client->content_length = 0;
    char line[512];
    errno = 0;
    if (!read_line(client, line, sizeof(line))) {
        return errno == EAGAIN ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
    }
    int status = 0;
    if (sscanf(line, "HTTP/1.%*d %d", &status) != 1) {
        return ESP_FAIL;
    }
    do {
        if (!read_line(client, line, sizeof(line))) {
            return errno == EAGAIN ? -ESP_ERR_HTTP_EAGAIN : ESP_FAIL;
        }
        take_header(client, line);
    } while (line[0] != '\0');
    client->status = status;
    shim_step("headers read");
    return client->content_length;
}

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int len)
{
    shim_step("esp_http_client_read");
    if (client->content_length <= 0) {
        return 0;
    }
    if (!fill(client)) {
        return -1;
    }
    size_t there = client->end - client->begin;
    size_t count = there < (size_t)len ? there : (size_t)len;
    count = count < (size_t)client->content_length ? count : (size_t)client->content_length;
    memcpy(buffer, client->input + client->begin, count);
    client->begin += count;
    client->content_length -= (int64_t)count;
    return (int)count;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client)
{
    return client->status;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    shim_step("esp_http_client_close");
    if (client->socket >= 0) {
        close(client->socket);
        client->socket = -1;
    }
    return ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    shim_step("esp_http_client_cleanup");
    esp_http_client_close(client);
    free(client);
    return ESP_OK;
}
