#include "json.h"

#include <string.h>

enum { MAX_DEPTH = 256 };

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The end of the string that starts at `at` (a quote), or NULL. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at;
    }
    return NULL;
}

static bool is_key(struct text text, const char *key)
{
    return text.length == strlen(key) && memcmp(text.start, key, text.length) == 0;
}

/* A string directly inside the top object: first the key, then perhaps its value. */
static void note_string(struct json_top *top, struct text *key, struct text string)
{
    if (key->start == NULL)
        *key = string;
    else if (is_key(*key, "id"))
        top->id = string;
    else if (is_key(*key, "status"))
        top->status = string;
}

bool json_look(const char *text, size_t length, struct json_top *top)
{
    const char *end = text + length;
    char closing[MAX_DEPTH];
    int depth = 0;
    bool filled = false; /* something stands since the last top bracket or comma */
    struct text key = {0};
    *top = (struct json_top){0};
    for (const char *at = text; at < end; at++) {
        if (is_space(*at))
            continue;
        if (depth == 0 && top->kind != 0 && (top->kind != 'v' || *at == '{' || *at == '['))
            return false;
        if (depth == 0 && top->kind == 0)
            top->kind = *at == '{' || *at == '[' ? *at : 'v';
        else if (depth == 1 && *at != ',' && *at != closing[0])
            filled = true;
        if (*at == '"') {
            const char *last = string_end(at, end);
            if (last == NULL)
                return false;
            if (depth == 1 && top->kind == '{')
                note_string(top, &key, (struct text){at + 1, (size_t)(last - at) - 1});
            at = last;
        } else if (*at == '{' || *at == '[') {
            if (depth == MAX_DEPTH)
                return false;
            closing[depth++] = *at == '{' ? '}' : ']';
        } else if (*at == '}' || *at == ']') {
            if (depth == 0 || closing[--depth] != *at)
                return false;
            if (depth == 0 && filled)
                top->items++;
        } else if (*at == ',' && depth == 1) {
            top->items++;
            filled = false;
            key = (struct text){0};
        }
    }
    return depth == 0 && top->kind != 0;
}
