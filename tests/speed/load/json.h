/* Looks over a JSON text without building it: is it whole, and what is at its top. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    const char *start;
    size_t length;
};

struct json_top {
    char kind;           /* '{', '[' or 'v' for anything else */
    size_t items;        /* members or elements at the top */
    struct text id;      /* the string member "id" of the top object */
    struct text status;  /* the string member "status" of the top object */
};

/* False when brackets or quotes do not match or something follows the value. */
bool json_look(const char *text, size_t length, struct json_top *top);

#endif
