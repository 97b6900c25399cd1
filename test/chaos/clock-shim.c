/*
 * Sets the clock of a Redis or Valkey server, and of nothing else: loaded by LD_PRELOAD, it adds to the wall clock what
 * stands as a 64-bit number of microseconds in the file PARKADE_CLOCK_FILE. The monotonic clock goes on undisturbed, as
 * it does when an administrator or NTP sets a clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none = 0;
static volatile int64_t *offset_us = &none;

__attribute__((constructor)) static void open_offset(void) {
  const char *name = program_invocation_short_name;
  const char *path = getenv("PARKADE_CLOCK_FILE");
  if (path == NULL || (strstr(name, "redis") == NULL && strstr(name, "valkey") == NULL)) return;
  int file = open(path, O_RDONLY);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) offset_us = shared;
}

int clock_gettime(clockid_t clock, struct timespec *result) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, result);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t us = (int64_t)result->tv_sec * 1000000 + result->tv_nsec / 1000 + *offset_us;
    result->tv_sec = us / 1000000;
    result->tv_nsec = us % 1000000 * 1000 + result->tv_nsec % 1000;
  }
  return failed;
}

int gettimeofday(struct timeval *result, void *zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  result->tv_sec = now.tv_sec;
  result->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
