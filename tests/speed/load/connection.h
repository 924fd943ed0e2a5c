/* One connection: its socket, its buffers, and where in the script it stands. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "buffer.h"
#include "http.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

enum phase { PHASE_WAITING, PHASE_SENDING, PHASE_RECEIVING, PHASE_DONE };

struct connection {
    int fd;           /* -1: not open */
    int epoll;
    uint32_t watched; /* events asked of epoll */
    enum phase phase;
    int index;
    int step;         /* of the script */
    int operations;   /* started by this connection */
    bool in_operation;
    bool was_open;
    uint64_t sent_at; /* the request was made, before any connecting */
    uint64_t wake_at; /* PHASE_WAITING ends */
    size_t out_sent;
    struct buffer out;
    struct buffer in;
    char run_id[UUID_SIZE];
};

enum progress { PROGRESS_MORE, PROGRESS_DONE, PROGRESS_BROKEN, PROGRESS_MALFORMED };

/* Starts connecting; BROKEN leaves the reason in errno. */
enum progress connection_open(struct connection *connection, const struct addrinfo *address);
/* The error of a connect that went on in the background, 0 when there was none. */
int connection_error(const struct connection *connection);
enum progress connection_send(struct connection *connection);
/* Takes what has arrived; on BROKEN errno is 0 when the server closed. */
enum progress connection_receive(struct connection *connection, struct answer *answer);
void connection_hang_up(struct connection *connection);
void connection_free(struct connection *connection);

#endif
