#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (connection->watched == events)
        return;
    if (epoll_ctl(connection->epoll, operation, connection->fd, &event) != 0) {
        fprintf(stderr, "load: epoll_ctl: %s\n", strerror(errno));
        exit(2);
    }
    connection->watched = events;
}

enum progress connection_open(struct connection *connection, const struct addrinfo *address)
{
    int on = 1;
    connection->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        return PROGRESS_BROKEN;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->fd, address->ai_addr, address->ai_addrlen) != 0 &&
        errno != EINPROGRESS)
        return PROGRESS_BROKEN;
    watch(connection, EPOLLOUT);
    return PROGRESS_MORE;
}

int connection_error(const struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

enum progress connection_send(struct connection *connection)
{
    struct buffer *out = &connection->out;
    while (connection->out_sent < out->length) {
        ssize_t sent = send(connection->fd, out->data + connection->out_sent,
                            out->length - connection->out_sent, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch(connection, EPOLLOUT);
            return PROGRESS_MORE;
        }
        if (sent < 0)
            return PROGRESS_BROKEN;
        connection->out_sent += (size_t)sent;
    }
    watch(connection, EPOLLIN);
    return PROGRESS_DONE;
}

enum progress connection_receive(struct connection *connection, struct answer *answer)
{
    struct buffer *in = &connection->in;
    buffer_reserve(in, 65536);
    ssize_t length = recv(connection->fd, in->data + in->length, in->size - in->length, 0);
    if (length < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? PROGRESS_MORE : PROGRESS_BROKEN;
    in->length += (size_t)length;
    enum reading reading = http_read(in->data, in->length, length == 0, answer);
    if (reading == READING_MORE && length > 0)
        return PROGRESS_MORE;
    if (reading == READING_DONE)
        return PROGRESS_DONE;
    errno = 0;
    return length == 0 ? PROGRESS_BROKEN : PROGRESS_MALFORMED;
}

void connection_hang_up(struct connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    connection->watched = 0;
}

void connection_free(struct connection *connection)
{
    connection_hang_up(connection);
    buffer_free(&connection->out);
    buffer_free(&connection->in);
}
