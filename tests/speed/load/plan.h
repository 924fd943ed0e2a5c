/* What is to be done: the options of one run and the script its connections follow. */
#ifndef PLAN_H
#define PLAN_H

#include "buffer.h"
#include "stats.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOGGING_RUNS = 16 };

struct script {
    const char *name;
    int steps;
    enum kind kinds[5]; /* the requests of one operation, in their order */
    bool needs_runs;    /* works on runs that were created before */
    bool bounded;       /* each connection does a few operations instead of as many as it can */
};

struct runs {
    char (*ids)[UUID_SIZE];
    int length;
    int size;
};

struct plan {
    const char *host;
    const char *port;
    const char *base_path;
    const char *flow_id;
    const char *pool;
    const char *method; /* of what is asked again and again, with its path and body */
    const char *path;
    const char *body;
    const struct script *script;
    struct buffer headers; /* everything that stands in every request behind the request line */
    char logging[LOGGING_RUNS][UUID_SIZE]; /* the flow runs that log */
    struct runs runs;
    int connections;
    int batch;            /* log records or events in a request */
    int limit;            /* runs asked for by a poll */
    int expected_items;   /* a poll or list that answers fewer is wrong */
    int per_connection;   /* operations of each connection, 0: no bound */
    uint64_t operations;  /* operations of all, 0: no bound */
    double warmup;
    double seconds;
    double timeout;
};

const struct script *script_named(const char *name);
/* Creates runs and remembers their ids. */
extern const struct script script_prepare;

#endif
