#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_UNKNOWN = -1, LENGTH_CHUNKED = -2 };

static bool header_is(const char *line, size_t length, const char *name)
{
    size_t size = strlen(name);
    return length > size && line[size] == ':' && strncasecmp(line, name, size) == 0;
}

static bool value_is(const char *line, size_t length, const char *word)
{
    const char *value = memchr(line, ':', length) + 1;
    const char *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    return (size_t)(end - value) == strlen(word) && strncasecmp(value, word, strlen(word)) == 0;
}

/* The status line and the headers; the body's length, or which way it is told. */
static bool read_head(const char *data, const char *end, struct answer *answer, long long *size)
{
    if (end - data < 12 || memcmp(data, "HTTP/1.", 7) != 0 || data[8] != ' ')
        return false;
    answer->status = (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
    if (answer->status < 200 || answer->status > 599)
        return false;
    answer->closes = data[7] == '0';
    *size = answer->status == 204 || answer->status == 304 ? 0 : LENGTH_UNKNOWN;
    const char *line = memchr(data, '\n', (size_t)(end - data));
    while (line != NULL && ++line < end) {
        const char *next = memchr(line, '\r', (size_t)(end - line) + 1);
        size_t length = (size_t)((next ? next : end) - line);
        if (header_is(line, length, "content-length"))
            *size = strtoll(line + sizeof "content-length", NULL, 10);
        else if (header_is(line, length, "transfer-encoding") && value_is(line, length, "chunked"))
            *size = LENGTH_CHUNKED;
        else if (header_is(line, length, "connection"))
            answer->closes = value_is(line, length, "close");
        line = memchr(line, '\n', (size_t)(end - line));
    }
    return *size >= LENGTH_CHUNKED;
}

/* Walks the chunks; joins them, in a second walk, only when the last one is there. */
static enum reading walk_chunks(char *body, size_t length, bool join, struct answer *answer)
{
    size_t at = 0;
    size_t joined = 0;
    for (;;) {
        char *line_end = memmem(body + at, length - at, "\r\n", 2);
        if (line_end == NULL)
            return length - at > 64 ? READING_BAD : READING_MORE;
        char *after;
        unsigned long size = strtoul(body + at, &after, 16);
        if (after == body + at || size > 1ul << 30)
            return READING_BAD;
        at = (size_t)(line_end - body) + 2;
        if (length - at < size + 2)
            return READING_MORE;
        if (size > 0 && memcmp(body + at + size, "\r\n", 2) != 0)
            return READING_BAD;
        if (join)
            memmove(body + joined, body + at, size);
        joined += size;
        at += size + 2;
        if (size == 0) {
            answer->body_length = joined;
            return READING_DONE;
        }
    }
}

enum reading http_read(char *data, size_t length, bool ended, struct answer *answer)
{
    char *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) {
        bool wrong = length >= 5 && memcmp(data, "HTTP/", 5) != 0;
        return wrong || ended || length > 65536 ? READING_BAD : READING_MORE;
    }
    long long size;
    if (!read_head(data, end, answer, &size))
        return READING_BAD;
    char *body = end + 4;
    size_t there = length - (size_t)(body - data);
    answer->body = body;
    if (size == LENGTH_CHUNKED) {
        enum reading reading = walk_chunks(body, there, false, answer);
        if (reading == READING_DONE)
            walk_chunks(body, there, true, answer);
        return reading == READING_MORE && ended ? READING_BAD : reading;
    }
    if (size == LENGTH_UNKNOWN) {
        answer->closes = true;
        answer->body_length = there;
        return ended ? READING_DONE : READING_MORE;
    }
    answer->body_length = (size_t)size;
    if (there > (size_t)size)
        return READING_BAD;
    if (there == (size_t)size)
        return READING_DONE;
    return ended ? READING_BAD : READING_MORE;
}
