/* Preloaded into a process: whatever it wants to reach outside of this machine is written into the
   file that OUTWARD_LOG names, and fails as it would without a network. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char *what, const char *where)
{
    char line[512];
    const char *path = getenv("OUTWARD_LOG");
    int length = snprintf(line, sizeof line, "%s %s\n", what, where);
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file < 0 || write(file, line, (size_t)length) != length)
        abort(); /* unseen is worse than ended */
    close(file);
}

static int is_outward(const struct sockaddr *address, char *text, socklen_t size)
{
    if (address == NULL)
        return 0;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, text, size);
        return (ntohl(four->sin_addr.s_addr) >> 24) != 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, size);
        return !IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    }
    return 0;
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    char text[INET6_ADDRSTRLEN];
    if (is_outward(address, text, sizeof text)) {
        record("connect", text);
        errno = ENETUNREACH;
        return -1;
    }
    if (!real)
        real = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    return real(descriptor, address, length);
}

ssize_t sendto(int descriptor, const void *data, size_t size, int flags,
               const struct sockaddr *address, socklen_t length)
{
    static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    char text[INET6_ADDRSTRLEN];
    if (is_outward(address, text, sizeof text)) {
        record("sendto", text);
        errno = ENETUNREACH;
        return -1;
    }
    if (!real)
        real = (ssize_t(*)(int, const void *, size_t, int, const struct sockaddr *,
                           socklen_t))dlsym(RTLD_NEXT, "sendto");
    return real(descriptor, data, size, flags, address, length);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    unsigned char number[sizeof(struct in6_addr)];
    if (node && strcmp(node, "localhost") != 0 && inet_pton(AF_INET, node, number) != 1 &&
        inet_pton(AF_INET6, node, number) != 1) {
        record("getaddrinfo", node);
        return EAI_AGAIN;
    }
    if (!real)
        real = (int (*)(const char *, const char *, const struct addrinfo *,
                        struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, found);
}
