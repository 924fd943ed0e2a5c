#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more;
    if (needed <= buffer->size)
        return;
    size_t size = buffer->size ? buffer->size : 4096;
    while (size < needed)
        size *= 2;
    char *data = realloc(buffer->data, size);
    if (data == NULL) {
        fprintf(stderr, "load: out of memory at a buffer of %zu bytes\n", size);
        exit(2);
    }
    buffer->data = data;
    buffer->size = size;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
    buffer_reserve(buffer, length);
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    buffer_reserve(buffer, (size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

uint64_t now_micros(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t random_number(void)
{
    static uint64_t state;
    while (state == 0)
        if (getrandom(&state, sizeof state, 0) != sizeof state)
            state = 0;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1DULL;
}

void random_uuid(char text[UUID_SIZE])
{
    uint64_t high = (random_number() & ~0xF000ULL) | 0x4000ULL;
    uint64_t low = (random_number() & ~(3ULL << 62)) | (2ULL << 62);
    snprintf(text, UUID_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF),
             (unsigned)(low >> 48), (unsigned long long)(low & 0xFFFFFFFFFFFFULL));
}

void timed_uuid(char text[UUID_SIZE])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t millis = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t chance = random_number();
    uint64_t low = (random_number() & ~(3ULL << 62)) | (2ULL << 62);
    snprintf(text, UUID_SIZE, "%08llx-%04llx-7%03llx-%04llx-%012llx",
             (unsigned long long)(millis >> 16), (unsigned long long)(millis & 0xFFFF),
             (unsigned long long)(chance & 0xFFF), (unsigned long long)(low >> 48),
             (unsigned long long)(low & 0xFFFFFFFFFFFFULL));
}

void wall_time(char text[TIME_SIZE], char between, int ahead)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t seconds = now.tv_sec + ahead;
    gmtime_r(&seconds, &parts);
    char date[16];
    char time_of_day[16];
    strftime(date, sizeof date, "%Y-%m-%d", &parts);
    strftime(time_of_day, sizeof time_of_day, "%H:%M:%S", &parts);
    snprintf(text, TIME_SIZE, "%s%c%s.%06u+00:00", date, between, time_of_day,
             (unsigned)(now.tv_nsec / 1000) % 1000000u);
}
