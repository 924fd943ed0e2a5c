#include "requests.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

static const struct script scripts[] = {
    {"lifecycle", 3, {KIND_CREATE, KIND_SET_RUNNING, KIND_SET_COMPLETED}, false, false},
    {"set_state", 1, {KIND_SET_STATE}, true, false},
    {"read", 1, {KIND_READ}, true, false},
    {"logs", 1, {KIND_LOGS}, false, false},
    {"poll", 1, {KIND_POLL}, false, false},
    {"events", 1, {KIND_EVENTS}, false, false},
    {"ask", 1, {KIND_ASK}, false, false},
    {"search", 1, {KIND_ASK}, true, false},
    {"connections", 5,
     {KIND_CREATE, KIND_SET_RUNNING, KIND_READ, KIND_SET_COMPLETED, KIND_READ}, false, true},
};

const struct script script_prepare = {"prepare", 1, {KIND_CREATE}, false, false};

const struct script *script_named(const char *name)
{
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(scripts[i].name, name) == 0)
            return &scripts[i];
    return NULL;
}

void write_headers(struct plan *plan, const char *const *extra, int count)
{
    buffer_print(&plan->headers, "Host: %s:%s\r\nAccept: application/json\r\n", plan->host,
                 plan->port);
    for (int i = 0; i < count; i++)
        buffer_print(&plan->headers, "%s\r\n", extra[i]);
}

static void write_create(const struct plan *plan, struct buffer *body)
{
    buffer_print(body,
                 "{\"state\":{\"type\":\"PENDING\",\"name\":\"Pending\",\"message\":null,"
                 "\"state_details\":{\"traceparent\":null},\"data\":null},\"name\":null,"
                 "\"flow_id\":\"%s\",\"flow_version\":\"4f2d1a\",\"parameters\":{\"n\":3},"
                 "\"context\":{},\"parent_task_run_id\":null,\"empirical_policy\":"
                 "{\"retries\":0,\"retry_delay\":0},\"tags\":[\"speed\"]}",
                 plan->flow_id);
}

static void write_state(const char *type, const char *name, const char *run_id,
                        struct buffer *body)
{
    char transition[UUID_SIZE];
    random_uuid(transition);
    buffer_print(body,
                 "{\"state\":{\"type\":\"%s\",\"name\":\"%s\",\"message\":null,\"state_details\":"
                 "{\"flow_run_id\":\"%s\",\"task_run_id\":null,\"child_flow_run_id\":null,"
                 "\"scheduled_time\":null,\"cache_key\":null,\"cache_expiration\":null,"
                 "\"deferred\":null,\"untrackable_result\":false,\"pause_timeout\":null,"
                 "\"pause_reschedule\":false,\"pause_key\":null,\"run_input_keyset\":null,"
                 "\"refresh_cache\":null,\"retriable\":null,\"transition_id\":\"%s\","
                 "\"task_parameters_id\":null,\"traceparent\":null,"
                 "\"deployment_concurrency_lease_id\":null},\"data\":null},\"force\":false}",
                 type, name, run_id, transition);
}

static void write_poll(const struct plan *plan, struct buffer *body)
{
    char before[TIME_SIZE];
    wall_time(before, ' ', 10);
    buffer_print(body, "{\"work_queue_names\":[],\"scheduled_before\":\"%s\"", before);
    if (plan->limit > 0)
        buffer_print(body, ",\"limit\":%d", plan->limit);
    buffer_add(body, "}", 1);
}

/* About 280 bytes a record, which is what the SDK sends for a short line of a task's log. Ten lines
 * of each task run, every line with the time it was written, as a program at work sends them. */
static void write_logs(const struct plan *plan, struct buffer *body)
{
    char task_id[UUID_SIZE];
    char time[TIME_SIZE];
    const char *run_id = plan->logging[random_number() % LOGGING_RUNS];
    buffer_add(body, "[", 1);
    for (int i = 0; i < plan->batch; i++) {
        if (i % 10 == 0)
            timed_uuid(task_id);
        wall_time(time, 'T', 0);
        buffer_print(body,
                     "%s{\"name\":\"prefect.task_runs\",\"level\":20,\"message\":\"Row %d of the "
                     "batch was read, checked and stored %s\",\"timestamp\":\"%s\","
                     "\"flow_run_id\":\"%s\",\"task_run_id\":\"%s\"}",
                     i ? "," : "", i, task_id + 18, time, run_id, task_id);
    }
    buffer_add(body, "]", 1);
}

/* About 550 bytes an event, as a program emits them: of its own, related to the run it is part of. */
static void write_events(const struct plan *plan, struct buffer *body)
{
    char id[UUID_SIZE];
    char time[TIME_SIZE];
    const char *run_id = plan->logging[random_number() % LOGGING_RUNS];
    buffer_add(body, "[", 1);
    for (int i = 0; i < plan->batch; i++) {
        timed_uuid(id);
        wall_time(time, 'T', 0);
        buffer_print(body,
                     "%s{\"occurred\":\"%s\",\"event\":\"speed.row.stored\",\"resource\":"
                     "{\"prefect.resource.id\":\"speed.table.%d\",\"prefect.resource.name\":"
                     "\"table-%d\"},\"related\":[{\"prefect.resource.id\":\"prefect.flow-run.%s\","
                     "\"prefect.resource.role\":\"flow-run\",\"prefect.resource.name\":"
                     "\"amber-falcon\"},{\"prefect.resource.id\":\"prefect.tag.speed\","
                     "\"prefect.resource.role\":\"tag\"}],\"payload\":{\"rows\":%d,"
                     "\"checked\":true},\"id\":\"%s\",\"follows\":null}",
                     i ? "," : "", time, i % 10, i % 10, run_id, i, id);
    }
    buffer_add(body, "]", 1);
}

static void write_body(const struct plan *plan, enum kind kind, const char *run_id,
                       struct buffer *body)
{
    switch (kind) {
    case KIND_CREATE:
        write_create(plan, body);
        break;
    case KIND_SET_COMPLETED:
        write_state("COMPLETED", "Completed", run_id, body);
        break;
    case KIND_SET_RUNNING:
    case KIND_SET_STATE:
        write_state("RUNNING", "Running", run_id, body);
        break;
    case KIND_LOGS:
        write_logs(plan, body);
        break;
    case KIND_POLL:
        write_poll(plan, body);
        break;
    case KIND_EVENTS:
        write_events(plan, body);
        break;
    case KIND_ASK:
        buffer_print(body, "%s", plan->body);
        break;
    case KIND_READ:
    case KIND_COUNT:
        break;
    }
}

static void write_line(const struct plan *plan, enum kind kind, const char *run_id,
                       struct buffer *out)
{
    const char *base = plan->base_path;
    if (kind == KIND_CREATE)
        buffer_print(out, "POST %s/flow_runs/ HTTP/1.1\r\n", base);
    else if (kind == KIND_READ)
        buffer_print(out, "GET %s/flow_runs/%s HTTP/1.1\r\n", base, run_id);
    else if (kind == KIND_LOGS)
        buffer_print(out, "POST %s/logs/ HTTP/1.1\r\n", base);
    else if (kind == KIND_EVENTS)
        buffer_print(out, "POST %s/events HTTP/1.1\r\n", base);
    else if (kind == KIND_ASK)
        buffer_print(out, "%s %s%s HTTP/1.1\r\n", plan->method, base, plan->path);
    else if (kind == KIND_POLL)
        buffer_print(out, "POST %s/work_pools/%s/get_scheduled_flow_runs HTTP/1.1\r\n", base,
                     plan->pool);
    else
        buffer_print(out, "POST %s/flow_runs/%s/set_state HTTP/1.1\r\n", base, run_id);
}

void write_request(const struct plan *plan, enum kind kind, const char *run_id,
                   struct buffer *out)
{
    static struct buffer body;
    body.length = 0;
    out->length = 0;
    write_body(plan, kind, run_id, &body);
    write_line(plan, kind, run_id, out);
    buffer_add(out, plan->headers.data, plan->headers.length);
    if (body.length == 0) {
        buffer_add(out, "\r\n", 2);
        return;
    }
    buffer_print(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 body.length);
    buffer_add(out, body.data, body.length);
}

static bool is_text(struct text text, const char *expected)
{
    return text.length == strlen(expected) && memcmp(text.start, expected, text.length) == 0;
}

static enum fault judge_object(enum kind kind, const struct json_top *top,
                               char run_id[UUID_SIZE])
{
    switch (kind) {
    case KIND_CREATE:
        if (top->id.length != UUID_SIZE - 1)
            return FAULT_MALFORMED;
        memcpy(run_id, top->id.start, top->id.length);
        run_id[UUID_SIZE - 1] = '\0';
        return FAULT_NONE;
    case KIND_READ:
        return is_text(top->id, run_id) ? FAULT_NONE : FAULT_WRONG;
    default:
        if (top->status.length == 0)
            return FAULT_MALFORMED;
        return is_text(top->status, "ACCEPT") ? FAULT_NONE : FAULT_REFUSED;
    }
}

enum fault judge(const struct plan *plan, enum kind kind, const struct answer *answer,
                 char run_id[UUID_SIZE], uint64_t *items)
{
    struct json_top top;
    *items = 0;
    if (answer->status < 200 || answer->status > 299)
        return FAULT_NON_2XX;
    if (kind == KIND_LOGS || kind == KIND_EVENTS) {
        *items = (uint64_t)plan->batch;
        return FAULT_NONE;
    }
    if (!json_look(answer->body, answer->body_length, &top))
        return FAULT_MALFORMED;
    if (kind == KIND_POLL || kind == KIND_ASK) {
        *items = top.kind == '[' ? top.items : 0;
        if (kind == KIND_POLL && top.kind != '[')
            return FAULT_MALFORMED;
        return *items < (uint64_t)plan->expected_items ? FAULT_WRONG : FAULT_NONE;
    }
    return top.kind == '{' ? judge_object(kind, &top, run_id) : FAULT_MALFORMED;
}

/* A run of ours may be called "locked-owl": good answers count only with the database's words. */
bool speaks_of_lock(const struct answer *answer)
{
    const char *words = answer->status < 300 ? "database is locked" : "locked";
    return memmem(answer->body, answer->body_length, words, strlen(words)) != NULL;
}
