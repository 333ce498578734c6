/* A disk that fails, preloaded into the house under test: once FAULTS_ARMED exists, calls that write or sync
 * files below FAULTS_UNDER are counted, and from the FAULTS_AT-th on one (FAULTS_FOREVER=0) or all of them fail
 * with FAULTS_ERRNO. The count so far is kept in the file FAULTS_COUNT, for the test to read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long *counter; /* shared with the test through its file */
static long fails_at;
static int fails_forever;
static int fails_with;
static const char *under;
static const char *armed;

__attribute__((constructor)) static void read_settings(void)
{
    under = getenv("FAULTS_UNDER");
    armed = getenv("FAULTS_ARMED");
    const char *count = getenv("FAULTS_COUNT");
    if (under == NULL || armed == NULL || count == NULL) return;
    fails_at = atol(getenv("FAULTS_AT"));
    fails_forever = atoi(getenv("FAULTS_FOREVER"));
    fails_with = atoi(getenv("FAULTS_ERRNO"));
    int file = open(count, O_RDWR | O_CREAT, 0600);
    if (file < 0 || syscall(SYS_ftruncate, file, sizeof *counter) != 0) abort();
    void *shared = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared == MAP_FAILED) abort();
    counter = shared;
}

static int is_hit(int descriptor)
{
    if (counter == NULL || access(armed, F_OK) != 0) return 0;
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    if (strncmp(path, under, strlen(under)) != 0) return 0;
    long number = atomic_fetch_add(counter, 1) + 1;
    int fails = number == fails_at || (fails_forever && number > fails_at);
    if (fails) errno = fails_with;
    return fails;
}

#define NEXT(name) \
    static __typeof__(name) *next; \
    if (next == NULL) next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    NEXT(write);
    return is_hit(descriptor) ? -1 : next(descriptor, bytes, size);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at)
{
    NEXT(pwrite);
    return is_hit(descriptor) ? -1 : next(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at)
{
    NEXT(pwrite64);
    return is_hit(descriptor) ? -1 : next(descriptor, bytes, size, at);
}

int fsync(int descriptor)
{
    NEXT(fsync);
    return is_hit(descriptor) ? -1 : next(descriptor);
}

int fdatasync(int descriptor)
{
    NEXT(fdatasync);
    return is_hit(descriptor) ? -1 : next(descriptor);
}

int ftruncate64(int descriptor, off64_t size)
{
    NEXT(ftruncate64);
    return is_hit(descriptor) ? -1 : next(descriptor, size);
}
