#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[KIND_COUNT] = {
    "create", "set_running", "set_completed", "set_state", "read", "logs", "poll",
    "events", "ask",
};

static const char *const fault_names[FAULT_COUNT] = {
    "none", "connection_failures", "timeouts", "non_2xx", "malformed", "refused", "wrong",
};

const char *kind_name(enum kind kind)
{
    return kind_names[kind];
}

void stats_time(struct stats *stats, enum kind kind, uint64_t micros)
{
    struct times *times = &stats->times[kind];
    if (times->length == times->size) {
        times->size = times->size ? times->size * 2 : 1024;
        times->micros = realloc(times->micros, times->size * sizeof *times->micros);
        if (times->micros == NULL) {
            fprintf(stderr, "load: out of memory at %zu recorded times\n", times->size);
            exit(2);
        }
    }
    times->micros[times->length++] = micros > UINT32_MAX ? UINT32_MAX : (uint32_t)micros;
}

void stats_fault(struct stats *stats, enum fault fault, enum kind kind, const char *detail,
                 size_t length)
{
    stats->faults[fault]++;
    if (stats->first_error[0] == '\0')
        snprintf(stats->first_error, sizeof stats->first_error, "%s of %s: %.*s",
                 fault_names[fault], kind_names[kind], (int)(length > 300 ? 300 : length), detail);
}

uint64_t stats_errors(const struct stats *stats)
{
    uint64_t errors = 0;
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
        errors += stats->faults[fault];
    return errors;
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The smallest time that at least `share` of all times do not exceed, in milliseconds. */
static double percentile(const struct times *times, double share)
{
    size_t rank = (size_t)(share * (double)times->length + 0.999999);
    return times->micros[rank > 0 ? rank - 1 : 0] / 1000.0;
}

static void print_times(const char *name, struct times *times, bool first)
{
    qsort(times->micros, times->length, sizeof *times->micros, by_size);
    printf("%s\"%s\": {\"count\": %zu, \"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p95_ms\": %.3f, "
           "\"p99_ms\": %.3f, \"max_ms\": %.3f}",
           first ? "" : ", ", name, times->length, percentile(times, 0.50),
           percentile(times, 0.90), percentile(times, 0.95), percentile(times, 0.99), percentile(times, 1.0));
}

static void print_all_times(struct stats *stats)
{
    struct times all = {0};
    bool first = true;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        all.size += stats->times[kind].length;
    all.micros = malloc((all.size ? all.size : 1) * sizeof *all.micros);
    if (all.micros == NULL) {
        fprintf(stderr, "load: out of memory at the summary of %zu times\n", all.size);
        exit(2);
    }
    printf(", \"times\": {");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct times *times = &stats->times[kind];
        if (times->length == 0)
            continue;
        memcpy(all.micros + all.length, times->micros, times->length * sizeof *all.micros);
        all.length += times->length;
        print_times(kind_names[kind], times, first);
        first = false;
    }
    if (all.length > 0)
        print_times("all", &all, false);
    printf("}");
    free(all.micros);
}

/* Only printable ASCII: what a broken server sends must not break our own JSON. */
static void print_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text >= ' ' && *text < 127 ? *text : ' ');
    }
    putchar('"');
}

void stats_print(struct stats *stats, const struct report *report)
{
    double seconds = report->seconds > 0 ? report->seconds : 1e-9;
    bool first = true;
    printf("{\"scenario\": \"%s\", \"connections\": %d, \"seconds\": %.3f, ", report->scenario,
           report->connections, report->seconds);
    printf("\"operations\": %llu, \"operations_per_second\": %.2f, ",
           (unsigned long long)stats->operations, (double)stats->operations / seconds);
    printf("\"requests\": %llu, \"requests_per_second\": %.2f, ",
           (unsigned long long)stats->requests, (double)stats->requests / seconds);
    printf("\"items\": %llu, \"items_per_second\": %.2f, ", (unsigned long long)stats->items,
           (double)stats->items / seconds);
    printf("\"errors\": %llu", (unsigned long long)stats_errors(stats));
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
        printf(", \"%s\": %llu", fault_names[fault], (unsigned long long)stats->faults[fault]);
    printf(", \"locked\": %llu, \"reconnects\": %llu, \"unfinished\": %d, \"first_error\": ",
           (unsigned long long)stats->locked, (unsigned long long)stats->reconnects,
           report->unfinished);
    print_text(stats->first_error);
    printf(", \"statuses\": {");
    for (int status = 0; status < 600; status++) {
        if (stats->statuses[status] == 0)
            continue;
        printf("%s\"%d\": %llu", first ? "" : ", ", status,
               (unsigned long long)stats->statuses[status]);
        first = false;
    }
    printf("}");
    print_all_times(stats);
    printf("}\n");
}
