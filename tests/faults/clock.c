/* A wall clock that the campaign moves under a running program: LD_PRELOAD of Linux. The seconds to add are
 * the first eight bytes of the file that IBD_CLOCK_FILE names. Only the wall clock moves: a clock that
 * nobody sets goes on as it was. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *added;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("IBD_CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *bytes = mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
    if (bytes != MAP_FAILED) added = bytes;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    long answer = syscall(SYS_clock_gettime, clock, time);
    if (answer == 0 && clock == CLOCK_REALTIME && added) time->tv_sec += *added;
    return (int)answer;
}
