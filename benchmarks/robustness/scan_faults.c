/* Faults for scan_faults.py, which compiles it and has it loaded before libc (LD_PRELOAD).

FAULT_FOLDER, FAULT_AFTER, FAULT_ERROR: in files of that folder, the so-many-th write, and every later one, fails with
that errno. CLOCK_JUMPS: the clock (not the monotonic one) is off by up to ten years, otherwise at every look; a process
that looked says so in the file of that name when it ends. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long writes;

static int refused(int file)
{
    const char *folder = getenv("FAULT_FOLDER");
    char link[64], path[4096];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || strncmp(path, folder, strlen(folder))) return 0;
    if (++writes < atol(getenv("FAULT_AFTER"))) return 0;
    errno = atoi(getenv("FAULT_ERROR"));
    return 1;
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *data, size_t size) { return refused(file) ? -1 : REAL(write)(file, data, size); }

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    return refused(file) ? -1 : REAL(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at)
{
    return refused(file) ? -1 : REAL(pwrite64)(file, data, size, at);
}

int ftruncate(int file, off_t size) { return refused(file) ? -1 : REAL(ftruncate)(file, size); }

int ftruncate64(int file, off64_t size) { return refused(file) ? -1 : REAL(ftruncate64)(file, size); }

int fsync(int file) { return refused(file) ? -1 : REAL(fsync)(file); }

int fdatasync(int file) { return refused(file) ? -1 : REAL(fdatasync)(file); }

static long looks;

static time_t jump(void)
{
    static unsigned seed = 1;
    if (!getenv("CLOCK_JUMPS")) return 0;
    looks++;
    return (time_t)(rand_r(&seed) % 631152000) - 315576000;
}

__attribute__((destructor)) static void tell(void)
{
    FILE *file = looks ? fopen(getenv("CLOCK_JUMPS"), "a") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", looks);
    fclose(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = REAL(clock_gettime)(clock, now);
    if (!result && clock == CLOCK_REALTIME) now->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = REAL(gettimeofday)(now, zone);
    if (!result) now->tv_sec += jump();
    return result;
}

time_t time(time_t *into)
{
    time_t now = REAL(time)(NULL) + jump();
    if (into) *into = now;
    return now;
}
