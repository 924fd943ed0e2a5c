#include "engine.h"

#include "connection.h"
#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { PAUSE_AFTER_FAILURE = 20000, TICK_MS = 20 };

struct engine {
    struct plan *plan;
    struct stats *stats;
    struct addrinfo *address;
    struct connection *connections;
    int epoll;
    int busy;          /* connections that are not done */
    uint64_t started;  /* operations */
    uint64_t window;   /* the warm-up is over */
    uint64_t deadline; /* nothing new is started */
    uint64_t last;     /* answer inside the window */
};

static void finish(struct engine *engine, struct connection *connection)
{
    connection_hang_up(connection);
    connection->phase = PHASE_DONE;
    engine->busy--;
}

/* A failed request ends its operation; the connection starts anew after a short pause. */
static void fail(struct engine *engine, struct connection *connection, enum fault fault,
                 struct answer detail)
{
    stats_fault(engine->stats, fault, engine->plan->script->kinds[connection->step], detail.body,
                detail.body_length);
    connection->in_operation = false;
    connection->phase = PHASE_WAITING;
    connection->wake_at = now_micros() + PAUSE_AFTER_FAILURE;
}

static void fail_connection(struct engine *engine, struct connection *connection, int error,
                            const char *when)
{
    char detail[160];
    int length = snprintf(detail, sizeof detail, "%s: %s", when,
                          error ? strerror(error) : "closed by the server");
    connection_hang_up(connection);
    fail(engine, connection, FAULT_CONNECTION,
         (struct answer){.body = detail, .body_length = (size_t)length});
}

/* Connections take different runs, so that no two of them propose for the same one at once. */
static void take_run(struct engine *engine, struct connection *connection)
{
    const struct plan *plan = engine->plan;
    uint64_t share = (uint64_t)(plan->runs.length / plan->connections);
    uint64_t at = share > 0 ? (uint64_t)connection->index +
                                  (uint64_t)plan->connections * (random_number() % share)
                            : random_number() % (uint64_t)plan->runs.length;
    memcpy(connection->run_id, plan->runs.ids[at], UUID_SIZE);
}

static bool may_start(const struct engine *engine, const struct connection *connection)
{
    const struct plan *plan = engine->plan;
    if (plan->per_connection > 0 && connection->operations >= plan->per_connection)
        return false;
    if (plan->script == &script_prepare && plan->runs.length == plan->runs.size)
        return false;
    return plan->operations == 0 || engine->started < plan->operations;
}

static void start_operation(struct engine *engine, struct connection *connection)
{
    connection->in_operation = true;
    connection->step = 0;
    connection->operations++;
    engine->started++;
    if (engine->plan->script->needs_runs)
        take_run(engine, connection);
}

static void send_request(struct engine *engine, struct connection *connection)
{
    enum progress progress = connection_send(connection);
    if (progress == PROGRESS_BROKEN)
        fail_connection(engine, connection, errno, "send");
    else if (progress == PROGRESS_DONE)
        connection->phase = PHASE_RECEIVING;
}

static void next_request(struct engine *engine, struct connection *connection)
{
    const struct plan *plan = engine->plan;
    bool over = now_micros() >= engine->deadline;
    if (over || (!connection->in_operation && !may_start(engine, connection))) {
        finish(engine, connection);
        return;
    }
    if (!connection->in_operation)
        start_operation(engine, connection);
    write_request(plan, plan->script->kinds[connection->step], connection->run_id,
                  &connection->out);
    connection->out_sent = 0;
    connection->in.length = 0;
    connection->sent_at = now_micros();
    connection->phase = PHASE_SENDING;
    if (connection->fd >= 0) {
        send_request(engine, connection);
        return;
    }
    engine->stats->reconnects += connection->was_open;
    connection->was_open = true;
    if (connection_open(connection, engine->address) == PROGRESS_BROKEN)
        fail_connection(engine, connection, errno, "connect");
}

static void remember_run(struct plan *plan, const char *run_id)
{
    if (plan->script == &script_prepare && plan->runs.length < plan->runs.size)
        memcpy(plan->runs.ids[plan->runs.length++], run_id, UUID_SIZE);
}

/* Times of answers that came after the deadline count, or slow ones would be left out. */
static void note_good(struct engine *engine, struct connection *connection, uint64_t items)
{
    const struct script *script = engine->plan->script;
    enum kind kind = script->kinds[connection->step];
    uint64_t now = now_micros();
    bool last_step = connection->step + 1 == script->steps;
    if (now >= engine->window)
        stats_time(engine->stats, kind, now - connection->sent_at);
    if (now >= engine->window && now < engine->deadline) {
        engine->stats->requests++;
        engine->stats->items += items;
        engine->stats->operations += last_step;
        engine->last = now;
    }
    if (kind == KIND_CREATE)
        remember_run(engine->plan, connection->run_id);
    connection->in_operation = !last_step;
    if (!last_step)
        connection->step++;
}

static void take_answer(struct engine *engine, struct connection *connection,
                        const struct answer *answer)
{
    enum kind kind = engine->plan->script->kinds[connection->step];
    uint64_t items;
    enum fault fault = judge(engine->plan, kind, answer, connection->run_id, &items);
    engine->stats->statuses[answer->status]++;
    engine->stats->locked += speaks_of_lock(answer);
    if (answer->closes)
        connection_hang_up(connection);
    if (fault != FAULT_NONE) {
        fail(engine, connection, fault, *answer);
        return;
    }
    note_good(engine, connection, items);
    next_request(engine, connection);
}

static void receive(struct engine *engine, struct connection *connection)
{
    struct answer answer = {0};
    switch (connection_receive(connection, &answer)) {
    case PROGRESS_MORE:
        break;
    case PROGRESS_DONE:
        take_answer(engine, connection, &answer);
        break;
    case PROGRESS_BROKEN:
        fail_connection(engine, connection, errno,
                        connection->in.length ? "inside the answer" : "before the answer");
        break;
    case PROGRESS_MALFORMED:
        connection_hang_up(connection);
        fail(engine, connection, FAULT_MALFORMED,
             (struct answer){.body = connection->in.data, .body_length = connection->in.length});
        break;
    }
}

static void on_event(struct engine *engine, struct connection *connection)
{
    if (connection->phase == PHASE_SENDING) {
        int error = connection_error(connection);
        if (error != 0)
            fail_connection(engine, connection, error, "connect");
        else
            send_request(engine, connection);
    } else if (connection->phase == PHASE_RECEIVING) {
        receive(engine, connection);
    } else {
        connection_hang_up(connection); /* closed in a pause: the next request opens another */
    }
}

/* Wakes who has paused, and gives up requests that have waited too long. */
static void look_round(struct engine *engine)
{
    static const char no_answer[] = "no whole answer in time";
    uint64_t patience = (uint64_t)(engine->plan->timeout * 1e6);
    for (int i = 0; i < engine->plan->connections; i++) {
        struct connection *connection = &engine->connections[i];
        uint64_t now = now_micros();
        bool asked = connection->phase == PHASE_SENDING || connection->phase == PHASE_RECEIVING;
        if (connection->phase == PHASE_WAITING && now >= connection->wake_at) {
            next_request(engine, connection);
        } else if (asked && now >= connection->sent_at + patience) {
            connection_hang_up(connection);
            fail(engine, connection, FAULT_TIMEOUT,
                 (struct answer){.body = no_answer, .body_length = sizeof no_answer - 1});
        }
    }
}

static void set_up(struct engine *engine)
{
    const struct plan *plan = engine->plan;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(plan->host, plan->port, &hints, &engine->address);
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    engine->connections = calloc((size_t)plan->connections, sizeof *engine->connections);
    if (error != 0 || engine->epoll < 0 || engine->connections == NULL) {
        fprintf(stderr, "load: cannot start on %s port %s: %s\n", plan->host, plan->port,
                error ? gai_strerror(error) : strerror(errno));
        exit(2);
    }
    engine->window = now_micros() + (uint64_t)(plan->warmup * 1e6);
    engine->deadline = engine->window + (uint64_t)(plan->seconds * 1e6);
    engine->last = engine->window;
    engine->busy = plan->connections;
    for (int i = 0; i < plan->connections; i++) {
        engine->connections[i].fd = -1;
        engine->connections[i].epoll = engine->epoll;
        engine->connections[i].index = i;
        next_request(engine, &engine->connections[i]);
    }
}

static void tear_down(struct engine *engine)
{
    for (int i = 0; i < engine->plan->connections; i++)
        connection_free(&engine->connections[i]);
    free(engine->connections);
    close(engine->epoll);
    freeaddrinfo(engine->address);
}

static int count_unfinished(const struct engine *engine)
{
    const struct plan *plan = engine->plan;
    int unfinished = 0;
    for (int i = 0; plan->per_connection > 0 && i < plan->connections; i++) {
        const struct connection *connection = &engine->connections[i];
        unfinished += connection->operations < plan->per_connection || connection->in_operation;
    }
    return unfinished;
}

void drive(struct plan *plan, struct stats *stats, struct report *report)
{
    struct engine engine = {.plan = plan, .stats = stats};
    struct epoll_event events[256];
    uint64_t looked = 0;
    set_up(&engine);
    while (engine.busy > 0) {
        int count = epoll_wait(engine.epoll, events, 256, TICK_MS);
        for (int i = 0; i < count; i++)
            on_event(&engine, events[i].data.ptr);
        if (now_micros() - looked >= TICK_MS * 1000) {
            looked = now_micros();
            look_round(&engine);
        }
    }
    bool bounded = plan->operations > 0 || plan->per_connection > 0;
    uint64_t end = bounded ? engine.last : engine.deadline;
    report->seconds = (double)(end - engine.window) / 1e6;
    report->unfinished = count_unfinished(&engine);
    tear_down(&engine);
}
