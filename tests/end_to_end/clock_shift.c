/* Stands before the system's clock in a house under test: real time is later by SHIFT_SECONDS. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int (*real_clock_gettime)(clockid_t, struct timespec *);
static long shift;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SHIFT_SECONDS");
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    shift = text == NULL ? 0 : strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (real_clock_gettime == NULL) begin();
    const int result = real_clock_gettime(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += shift;
    return result;
}

/* What OpenSSL judges certificates by. */
time_t time(time_t *now)
{
    struct timespec shifted;
    clock_gettime(CLOCK_REALTIME, &shifted);
    if (now != NULL) *now = shifted.tv_sec;
    return shifted.tv_sec;
}
