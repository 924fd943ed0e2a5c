/* A growing byte buffer, and the clock and chance of the load client. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data;
    size_t length;
    size_t size;
};

/* Makes room for `more` bytes behind the content; ends the program when memory is out. */
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_free(struct buffer *buffer);

/* Microseconds of the monotonic clock. */
uint64_t now_micros(void);

enum { UUID_SIZE = 37 };

uint64_t random_number(void);
void random_uuid(char text[UUID_SIZE]);
/* Version 7, as Prefect gives its runs: the milliseconds now, then chance. */
void timed_uuid(char text[UUID_SIZE]);

/* The wall clock `ahead` seconds from now as ISO-8601 in UTC, `between` date and time. */
enum { TIME_SIZE = 48 };
void wall_time(char text[TIME_SIZE], char between, int ahead);

#endif
