/* Preloaded into a process: while the file that DISK_FAULT names is there, whatever changes a file
   below DISK_FOLDER fails with the error number in it, as on a disk that is full (28), read-only
   (30) or broken (5). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(void)
{
    static __thread int busy;
    const char *path = getenv("DISK_FAULT");
    int number = 0;
    if (path == NULL || busy)
        return 0;
    busy = 1;
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &number) != 1)
            number = 0;
        fclose(file);
    }
    busy = 0;
    return number;
}

static int below(const char *path)
{
    const char *folder = getenv("DISK_FOLDER");
    return folder != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int descriptor)
{
    char link[64], path[4096];
    int number = fault();
    if (number == 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (!below(path))
        return 0;
    errno = number;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int descriptor, const void *data, size_t size)
{
    return fails(descriptor) ? -1 : REAL(write)(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t place)
{
    return fails(descriptor) ? -1 : REAL(pwrite)(descriptor, data, size, place);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t place)
{
    return fails(descriptor) ? -1 : REAL(pwrite64)(descriptor, data, size, place);
}

int ftruncate(int descriptor, off_t size)
{
    return fails(descriptor) ? -1 : REAL(ftruncate)(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size)
{
    return fails(descriptor) ? -1 : REAL(ftruncate64)(descriptor, size);
}

int fsync(int descriptor)
{
    return fails(descriptor) ? -1 : REAL(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
    return fails(descriptor) ? -1 : REAL(fdatasync)(descriptor);
}
