/* What is counted: answers, errors by class, times by kind of request. */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
    KIND_CREATE,
    KIND_SET_RUNNING,
    KIND_SET_COMPLETED,
    KIND_SET_STATE,
    KIND_READ,
    KIND_LOGS,
    KIND_POLL,
    KIND_EVENTS,
    KIND_ASK,
    KIND_COUNT
};

enum fault {
    FAULT_NONE,
    FAULT_CONNECTION, /* refused, reset, or closed before the answer was whole */
    FAULT_TIMEOUT,
    FAULT_NON_2XX,
    FAULT_MALFORMED,  /* not HTTP, or not JSON */
    FAULT_REFUSED,    /* a transition was not answered ACCEPT */
    FAULT_WRONG,      /* another run than asked for, or too few items */
    FAULT_COUNT
};

struct times {
    uint32_t *micros;
    size_t length;
    size_t size;
};

struct stats {
    struct times times[KIND_COUNT];
    uint64_t statuses[600];
    uint64_t faults[FAULT_COUNT];
    uint64_t locked;     /* answers that speak of a lock; their fault is counted as well */
    uint64_t requests;   /* answered well inside the measured window */
    uint64_t operations; /* whole operations inside the measured window */
    uint64_t items;      /* log rows, events, polled runs or rows of a list inside the measured window */
    uint64_t reconnects; /* connections opened again after the server closed them in good order */
    char first_error[400];
};

struct report {
    const char *scenario;
    int connections;
    int unfinished; /* connections that had work left when time was up */
    double seconds; /* length of the measured window */
};

const char *kind_name(enum kind kind);
void stats_time(struct stats *stats, enum kind kind, uint64_t micros);
void stats_fault(struct stats *stats, enum fault fault, enum kind kind, const char *detail,
                 size_t length);
uint64_t stats_errors(const struct stats *stats);
/* One JSON object on standard output. */
void stats_print(struct stats *stats, const struct report *report);

#endif
