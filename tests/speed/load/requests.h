/* Writes the requests of each kind and judges their answers. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "http.h"
#include "plan.h"

void write_headers(struct plan *plan, const char *const *extra, int count);
void write_request(const struct plan *plan, enum kind kind, const char *run_id,
                   struct buffer *out);
/* Judges one whole answer; a created run's id goes to `run_id`, polled or stored rows to `items`. */
enum fault judge(const struct plan *plan, enum kind kind, const struct answer *answer,
                 char run_id[UUID_SIZE], uint64_t *items);
bool speaks_of_lock(const struct answer *answer);

#endif
