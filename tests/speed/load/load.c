/* An HTTP/1.1 load client for the flow-run API: one thread, epoll, no library beyond libc.
   Prints one JSON object; tests/speed/README.md says what its members mean. */
#include "engine.h"
#include "requests.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MAX_HEADERS = 16, MAX_CONNECTIONS = 20000, TRIES = 4 };

enum option_code {
    OPTION_HOST = 256,
    OPTION_PORT,
    OPTION_BASE_PATH,
    OPTION_SCENARIO,
    OPTION_CONNECTIONS,
    OPTION_SECONDS,
    OPTION_WARMUP,
    OPTION_OPERATIONS,
    OPTION_PER_CONNECTION,
    OPTION_TIMEOUT,
    OPTION_HEADER,
    OPTION_FLOW_ID,
    OPTION_POOL,
    OPTION_METHOD,
    OPTION_PATH,
    OPTION_BODY,
    OPTION_LIMIT,
    OPTION_EXPECT_ITEMS,
    OPTION_RUNS,
    OPTION_BATCH
};

static const struct option options[] = {
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"base-path", required_argument, NULL, OPTION_BASE_PATH},
    {"scenario", required_argument, NULL, OPTION_SCENARIO},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"operations", required_argument, NULL, OPTION_OPERATIONS},
    {"per-connection", required_argument, NULL, OPTION_PER_CONNECTION},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"header", required_argument, NULL, OPTION_HEADER},
    {"flow-id", required_argument, NULL, OPTION_FLOW_ID},
    {"pool", required_argument, NULL, OPTION_POOL},
    {"method", required_argument, NULL, OPTION_METHOD},
    {"path", required_argument, NULL, OPTION_PATH},
    {"body", required_argument, NULL, OPTION_BODY},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"expect-items", required_argument, NULL, OPTION_EXPECT_ITEMS},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {NULL, 0, NULL, 0},
};

struct command {
    struct plan plan;
    const char *scenario;
    const char *headers[MAX_HEADERS];
    int header_count;
};

static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "load: %s: '%s'\n", what, value);
    exit(2);
}

static double number(const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        refuse("not a number of the allowed size", text);
    return value;
}

static void take_option(struct command *command, int code, const char *value)
{
    struct plan *plan = &command->plan;
    switch (code) {
    case OPTION_HOST: plan->host = value; break;
    case OPTION_PORT: plan->port = value; break;
    case OPTION_BASE_PATH: plan->base_path = value; break;
    case OPTION_SCENARIO: command->scenario = value; break;
    case OPTION_CONNECTIONS: plan->connections = (int)number(value, 1, MAX_CONNECTIONS); break;
    case OPTION_SECONDS: plan->seconds = number(value, 0.01, 3600); break;
    case OPTION_WARMUP: plan->warmup = number(value, 0, 600); break;
    case OPTION_OPERATIONS: plan->operations = (uint64_t)number(value, 0, 1e9); break;
    case OPTION_PER_CONNECTION: plan->per_connection = (int)number(value, 0, 1e6); break;
    case OPTION_TIMEOUT: plan->timeout = number(value, 0.05, 600); break;
    case OPTION_FLOW_ID: plan->flow_id = value; break;
    case OPTION_POOL: plan->pool = value; break;
    case OPTION_METHOD: plan->method = value; break;
    case OPTION_PATH: plan->path = value; break;
    case OPTION_BODY: plan->body = value; break;
    case OPTION_LIMIT: plan->limit = (int)number(value, 0, 1000); break;
    case OPTION_EXPECT_ITEMS: plan->expected_items = (int)number(value, 0, 1000); break;
    case OPTION_RUNS: plan->runs.size = (int)number(value, 1, 1e6); break;
    case OPTION_BATCH: plan->batch = (int)number(value, 1, 1e5); break;
    case OPTION_HEADER:
        if (command->header_count == MAX_HEADERS)
            refuse("more than 16 headers", value);
        command->headers[command->header_count++] = value;
        break;
    default: exit(2);
    }
}

static void read_command(int count, char **arguments, struct command *command)
{
    struct plan *plan = &command->plan;
    int code;
    while ((code = getopt_long(count, arguments, "", options, NULL)) != -1)
        take_option(command, code, optarg);
    if (optind < count)
        refuse("not an option", arguments[optind]);
    plan->script = script_named(command->scenario);
    if (plan->script == NULL)
        refuse("--scenario is lifecycle, set_state, read, logs, poll, events, ask, search or "
               "connections, not", command->scenario);
    if (plan->script->bounded && plan->per_connection == 0)
        plan->per_connection = 2;
    if (plan->script->steps > 1 && plan->flow_id[0] == '\0')
        refuse("--flow-id is needed by", command->scenario);
    if (plan->script->needs_runs && plan->flow_id[0] == '\0')
        refuse("--flow-id is needed by", command->scenario);
}

/* Makes the runs the measured part works on. A server that is busy for a moment gets more tries;
   without all of its runs the figures would be worthless. */
static int prepare_runs(const struct plan *plan, struct runs *runs)
{
    struct plan preparation = *plan;
    struct stats stats = {0};
    struct report report;
    preparation.script = &script_prepare;
    preparation.operations = (uint64_t)plan->runs.size * TRIES;
    preparation.per_connection = 0;
    preparation.connections = plan->connections < 16 ? plan->connections : 16;
    preparation.warmup = 0;
    preparation.seconds = 300;
    preparation.runs.ids = calloc((size_t)plan->runs.size, UUID_SIZE);
    if (preparation.runs.ids == NULL)
        refuse("out of memory for the ids of runs", "--runs");
    drive(&preparation, &stats, &report);
    *runs = preparation.runs;
    if (runs->length == runs->size)
        return 0;
    fprintf(stderr, "load: only %d of %d runs could be created: %s\n", runs->length, runs->size,
            stats.first_error);
    return 3;
}

static void allow_connections(int connections)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)connections + 32;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed) {
        fprintf(stderr, "load: %d connections need more open files than `ulimit -n` allows\n",
                connections);
        exit(2);
    }
}

int main(int count, char **arguments)
{
    struct command command = {
        .plan = {.host = "127.0.0.1", .port = "4200", .base_path = "/api", .flow_id = "",
                 .pool = "speed", .method = "POST", .path = "/health", .body = "", .connections = 16, .batch = 100, .seconds = 10,
                 .timeout = 30, .runs = {.size = 300}},
        .scenario = "lifecycle",
    };
    struct plan *plan = &command.plan;
    static struct stats stats;
    struct report report = {0};
    read_command(count, arguments, &command);
    allow_connections(plan->connections);
    write_headers(plan, command.headers, command.header_count);
    for (int i = 0; i < LOGGING_RUNS; i++)
        timed_uuid(plan->logging[i]);
    if (plan->script->needs_runs) {
        int failure = prepare_runs(plan, &plan->runs);
        if (failure != 0)
            return failure;
    }
    drive(plan, &stats, &report);
    report.scenario = command.scenario;
    report.connections = plan->connections;
    stats_print(&stats, &report);
    return 0;
}
