/* Reads one HTTP/1.1 answer out of the bytes that have arrived. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct answer {
    int status;
    bool closes; /* the server will not take another request on this connection */
    const char *body;
    size_t body_length;
};

enum reading { READING_MORE, READING_DONE, READING_BAD };

/* `ended`: the server has closed its side. A chunked body is joined in place when it is whole. */
enum reading http_read(char *data, size_t length, bool ended, struct answer *answer);

#endif
