/* Stands between a program and the system's calls on files, and has one of them fail.
 *
 * Preloaded (LD_PRELOAD), it counts the calls that write below one folder:
 *
 *   FAULTS_FOLDER  the folder; calls on other files pass uncounted
 *   FAULTS_CALLS   which are counted, as "write" or "rename,fsync"; empty: all of them
 *   FAULTS_NTH     the number, from 1, of the call that fails; the next ones pass
 *   FAULTS_ERROR   what it fails with: an errno as a number, or "kill" for the program's end in its stead
 *   FAULTS_BYTES   instead of all that: how many bytes may be written there before the disk is full
 *   FAULTS_REPORT  a file that gets the number of calls that were counted, when the program ends
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static const char* calls = "";
static long nth = -1, error_number = EIO, bytes_left = -1;
static int kills = 0;
static atomic_long counted;

static void* next(const char* name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char* text = getenv("FAULTS_FOLDER");
  if (text) snprintf(folder, sizeof folder, "%s", text);
  if ((text = getenv("FAULTS_CALLS"))) calls = text;
  if ((text = getenv("FAULTS_NTH"))) nth = atol(text);
  if ((text = getenv("FAULTS_BYTES"))) bytes_left = atol(text);
  if ((text = getenv("FAULTS_ERROR"))) {
    kills = strcmp(text, "kill") == 0;
    error_number = atol(text);
  }
}

__attribute__((destructor)) static void end(void) {
  const char* report = getenv("FAULTS_REPORT");
  FILE* file = report ? fopen(report, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", atomic_load(&counted));
  fclose(file);
}

static int is_below(const char* path) {
  const size_t length = strlen(folder);
  return length > 0 && strncmp(path, folder, length) == 0 &&
         (path[length] == '/' || path[length] == '\0');
}

/* `path` as the system would find it from `directory`. */
static int is_ours(int directory, const char* path) {
  char whole[2 * PATH_MAX], link[64];
  if (path[0] == '/') return is_below(path);
  if (directory == AT_FDCWD) {
    if (!getcwd(whole, PATH_MAX)) return 0;
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    const ssize_t length = readlink(link, whole, PATH_MAX - 1);
    if (length < 0) return 0;
    whole[length] = '\0';
  }
  strncat(whole, "/", 2);
  strncat(whole, path, PATH_MAX - 1);
  return is_below(whole);
}

static int is_ours_open(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

static int is_counted(const char* call) {
  if (!*calls) return 1;
  const char* found = strstr(calls, call);
  if (!found) return 0;
  const char behind = found[strlen(call)];
  return behind == '\0' || behind == ',';
}

/* Whether the call is the one that fails; errno is set then. */
static int fails(const char* call) {
  if (!is_counted(call)) return 0;
  const long number = atomic_fetch_add(&counted, 1) + 1;
  if (bytes_left >= 0 || number != nth) return 0;
  if (kills) {
    kill(getpid(), SIGKILL);
    pause();
  }
  errno = (int)error_number;
  return 1;
}

/* How much of `size` bytes the disk takes. */
static ssize_t room(size_t size) {
  if (bytes_left < 0) return (ssize_t)size;
  if (bytes_left == 0) {
    errno = ENOSPC;
    return -1;
  }
  const ssize_t taken = (long)size < bytes_left ? (ssize_t)size : (ssize_t)bytes_left;
  bytes_left -= taken;
  return taken;
}

ssize_t write(int descriptor, const void* data, size_t size) {
  static ssize_t (*real)(int, const void*, size_t);
  if (!real) real = next("write");
  if (is_ours_open(descriptor)) {
    if (fails("write")) return -1;
    const ssize_t taken = room(size);
    if (taken < 0) return -1;
    size = (size_t)taken;
  }
  return real(descriptor, data, size);
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  static ssize_t (*real)(int, const struct iovec*, int);
  if (!real) real = next("writev");
  if (is_ours_open(descriptor)) {
    if (fails("write")) return -1;
    if (bytes_left >= 0) return count > 0 ? write(descriptor, parts[0].iov_base, parts[0].iov_len) : 0;
  }
  return real(descriptor, parts, count);
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  static ssize_t (*real)(int, const void*, size_t, off_t);
  if (!real) real = next("pwrite");
  if (is_ours_open(descriptor) && fails("write")) return -1;
  return real(descriptor, data, size, at);
}

#define ON_DESCRIPTOR(name)                                    \
  int name(int descriptor) {                                   \
    static int (*real)(int);                                   \
    if (!real) real = next(#name);                             \
    if (is_ours_open(descriptor) && fails("fsync")) return -1; \
    return real(descriptor);                                   \
  }
ON_DESCRIPTOR(fsync)
ON_DESCRIPTOR(fdatasync)

#define TRUNCATE(name)                                             \
  int name(int descriptor, off_t size) {                           \
    static int (*real)(int, off_t);                                \
    if (!real) real = next(#name);                                 \
    if (is_ours_open(descriptor) && fails("truncate")) return -1;  \
    return real(descriptor, size);                                 \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define OPEN(name)                                                                            \
  int name(const char* path, int flags, ...) {                                                \
    static int (*real)(const char*, int, mode_t);                                             \
    if (!real) real = next(#name);                                                            \
    va_list more;                                                                             \
    va_start(more, flags);                                                                    \
    const mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;                         \
    va_end(more);                                                                             \
    if ((flags & (O_WRONLY | O_RDWR)) && is_ours(AT_FDCWD, path) && fails("open")) return -1; \
    return real(path, flags, mode);                                                           \
  }
OPEN(open)
OPEN(open64)

#define FOPEN(name)                                                                        \
  FILE* name(const char* path, const char* mode) {                                         \
    static FILE* (*real)(const char*, const char*);                                        \
    if (!real) real = next(#name);                                                         \
    if (strpbrk(mode, "wa+") && is_ours(AT_FDCWD, path) && fails("open")) return NULL;     \
    return real(path, mode);                                                               \
  }
FOPEN(fopen)
FOPEN(fopen64)

int rename(const char* from, const char* to) {
  static int (*real)(const char*, const char*);
  if (!real) real = next("rename");
  if (is_ours(AT_FDCWD, to) && fails("rename")) return -1;
  return real(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static int (*real)(int, const char*, int, const char*, unsigned);
  if (!real) real = next("renameat2");
  if (is_ours(to_folder, to) && fails("rename")) return -1;
  return real(from_folder, from, to_folder, to, flags);
}

int mkdir(const char* path, mode_t mode) {
  static int (*real)(const char*, mode_t);
  if (!real) real = next("mkdir");
  if (is_ours(AT_FDCWD, path) && fails("mkdir")) return -1;
  return real(path, mode);
}

int unlinkat(int directory, const char* path, int flags) {
  static int (*real)(int, const char*, int);
  if (!real) real = next("unlinkat");
  if (is_ours(directory, path) && fails("unlink")) return -1;
  return real(directory, path, flags);
}

#define UNLINK(name)                                              \
  int name(const char* path) {                                    \
    static int (*real)(const char*);                              \
    if (!real) real = next(#name);                                \
    if (is_ours(AT_FDCWD, path) && fails("unlink")) return -1;    \
    return real(path);                                            \
  }
UNLINK(unlink)
UNLINK(rmdir)
UNLINK(remove)
