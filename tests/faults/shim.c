/* Faults between a server and its operating system, for the fault tests.
 *
 * Loaded with LD_PRELOAD into the server alone. What is to fail stands in a page of memory that is shared with the test,
 * so that faults begin and end while the server runs, at an exact place: before a sync, after a sync, before an answer
 * leaves. Nothing of this is in the product.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* The order is that of `Knob` in shim.rs. */
enum {
    SYNC_ERRNO,     /* every sync of a data file fails with this */
    WRITE_ERRNO,    /* every write to a data file fails with this */
    DIE_AT,         /* see below */
    DIE_AFTER,      /* pass this place so many times before */
    CLOCK_MS,       /* added to the wall clock */
    RANDOM_FAILS,   /* so many calls for random bytes fail */
    KEEP_UNDO,      /* remember what is not synced */
    SYNC_LIES,      /* a sync says yes and does nothing */
    POWER_CUT,      /* what is not synced is undone, then the process ends */
    FAIL_CALL,      /* the storage call of this number fails once; numbers begin at 1 */
    CALLS,          /* storage calls seen */
    HITS,           /* faults that really happened */
    FROZEN_MS,      /* the wall clock stands still at this */
    SYNC_MS,        /* each sync of a data file takes so much longer: a slow disk */
    KNOBS
};
enum { BEFORE_SYNC = 1, AFTER_SYNC, BEFORE_ANSWER, AFTER_ANSWER, BEFORE_TELLING, UPLOAD_SYNC, UPLOAD_RENAME };

static volatile int64_t *knob;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct undo {
    struct undo *older;
    char path[512];
    off_t at, size_before;
    size_t kept;
    char bytes[];
};
static struct undo *undos;

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real; })

__attribute__((constructor)) static void open_page(void) {
    const char *name = getenv("FAULTS_PAGE");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page != MAP_FAILED) knob = page;
}

static int data_file(int fd, char path[512]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 511);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strstr(path, "/ocs.db-shm")) return 0;
    if (strstr(path, "/ocs.db")) return 1;
    return strstr(path, "/images/") ? 2 : 0;
}

static void hit(void) { __atomic_add_fetch(&knob[HITS], 1, __ATOMIC_SEQ_CST); }

static void die_at(int place) {
    if (!knob || knob[DIE_AT] != place) return;
    /* One thread alone, also when two come at once: each end is counted. */
    if (__atomic_fetch_sub(&knob[DIE_AFTER], 1, __ATOMIC_SEQ_CST) != 0) return;
    hit();
    knob[DIE_AT] = 0;
    _exit(137);
}

/* Under the lock. */
static void cut_power(void) {
    if (!knob[POWER_CUT]) return;
    for (struct undo *one = undos; one; one = one->older) {
        int fd = open(one->path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) continue;
        if (one->kept && REAL(pwrite64)(fd, one->bytes, one->kept, one->at) < 0) _exit(99);
        if (REAL(ftruncate64)(fd, one->size_before) < 0) _exit(99);
        close(fd);
        hit();
    }
    _exit(137);
}

/* Under the lock: what `length` bytes at `at` are before they are overwritten. */
static void remember(int fd, const char *path, off_t at, size_t length) {
    struct stat file;
    if (!knob[KEEP_UNDO] || fstat(fd, &file) < 0) return;
    struct undo *one = malloc(sizeof *one + length);
    if (!one) return;
    int reading = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t kept = reading >= 0 ? pread64(reading, one->bytes, length, at) : 0;
    if (reading >= 0) close(reading);
    snprintf(one->path, sizeof one->path, "%s", path);
    one->at = at;
    one->kept = kept > 0 ? (size_t)kept : 0;
    one->size_before = file.st_size;
    one->older = undos;
    undos = one;
}

static void forget(const char *path) {
    for (struct undo **place = &undos; *place;) {
        struct undo *one = *place;
        if (strcmp(one->path, path) == 0) {
            *place = one->older;
            free(one);
        } else {
            place = &one->older;
        }
    }
}

static int nth_fails(void) {
    int64_t number = __atomic_add_fetch(&knob[CALLS], 1, __ATOMIC_SEQ_CST);
    if (knob[FAIL_CALL] == 0 || number != knob[FAIL_CALL]) return 0;
    hit();
    return 1;
}

static int write_fails(void) {
    if (knob[WRITE_ERRNO]) {
        hit();
        errno = (int)knob[WRITE_ERRNO];
        return 1;
    }
    if (nth_fails()) {
        errno = EIO;
        return 1;
    }
    return 0;
}

static int holds(const struct iovec *parts, int count, const char *what) {
    for (int i = 0; i < count; i++)
        if (memmem(parts[i].iov_base, parts[i].iov_len, what, strlen(what))) return 1;
    return 0;
}

/* 1: the answer to a sent message; 2: the telling of one. */
static int kind_of(const struct iovec *parts, int count) {
    if (!knob || !knob[DIE_AT]) return 0;
    if (holds(parts, count, "\"kind\":\"message_sent\"")) return 2;
    return holds(parts, count, "HTTP/1.1 200") && holds(parts, count, "{\"message\":{") ? 1 : 0;
}

static void before_socket(int kind) {
    if (kind == 1) die_at(BEFORE_ANSWER);
    if (kind == 2) die_at(BEFORE_TELLING);
}

static void after_socket(int kind) {
    if (kind == 1) die_at(AFTER_ANSWER);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
    struct iovec part = { (void *)bytes, length };
    int kind = kind_of(&part, 1);
    before_socket(kind);
    ssize_t done = REAL(send)(fd, bytes, length, flags);
    after_socket(kind);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int kind = kind_of(parts, count);
    before_socket(kind);
    ssize_t done = REAL(writev)(fd, parts, count);
    after_socket(kind);
    return done;
}

static ssize_t guarded(int fd, const void *bytes, size_t length, off_t at, int seeks) {
    char path[512];
    if (!knob || !data_file(fd, path))
        return seeks ? REAL(write)(fd, bytes, length) : REAL(pwrite64)(fd, bytes, length, at);
    if (write_fails()) return -1;
    pthread_mutex_lock(&lock);
    cut_power();
    remember(fd, path, seeks ? lseek(fd, 0, SEEK_CUR) : at, length);
    ssize_t done = seeks ? REAL(write)(fd, bytes, length) : REAL(pwrite64)(fd, bytes, length, at);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return guarded(fd, bytes, length, 0, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return guarded(fd, bytes, length, at, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return guarded(fd, bytes, length, at, 0); }

static int truncated(int fd, off_t size) {
    char path[512];
    if (!knob || !data_file(fd, path)) return REAL(ftruncate64)(fd, size);
    if (write_fails()) return -1;
    pthread_mutex_lock(&lock);
    cut_power();
    struct stat file;
    if (fstat(fd, &file) == 0) remember(fd, path, size, file.st_size > size ? (size_t)(file.st_size - size) : 0);
    int done = REAL(ftruncate64)(fd, size);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off_t size) { return truncated(fd, size); }

static int synced(int fd, int data_only) {
    char path[512];
    int kind = knob ? data_file(fd, path) : 0;
    if (!kind) return data_only ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
    if (kind == 1 && strstr(path, "-wal")) die_at(BEFORE_SYNC);
    if (kind == 2) die_at(UPLOAD_SYNC);
    if (knob[SYNC_MS]) usleep((useconds_t)knob[SYNC_MS] * 1000);
    if (knob[SYNC_ERRNO]) {
        hit();
        errno = (int)knob[SYNC_ERRNO];
        return -1;
    }
    if (nth_fails()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&lock);
    cut_power();
    int done = 0;
    if (!knob[SYNC_LIES]) {
        done = data_only ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
        if (done == 0) forget(path);
    }
    pthread_mutex_unlock(&lock);
    if (kind == 1 && strstr(path, "-wal")) die_at(AFTER_SYNC);
    return done;
}

int fsync(int fd) { return synced(fd, 0); }
int fdatasync(int fd) { return synced(fd, 1); }

int rename(const char *from, const char *to) {
    if (strstr(to, "/images/")) die_at(UPLOAD_RENAME);
    return REAL(rename)(from, to);
}


int clock_gettime(clockid_t which, struct timespec *time) {
    int done = REAL(clock_gettime)(which, time);
    if (done == 0 && knob && which == CLOCK_REALTIME) {
        int64_t ms = (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
        ms = knob[FROZEN_MS] ? knob[FROZEN_MS] : ms + knob[CLOCK_MS];
        time->tv_sec = ms / 1000;
        time->tv_nsec = ms % 1000 * 1000000;
    }
    return done;
}

ssize_t getrandom(void *bytes, size_t length, unsigned flags) {
    if (knob && length > 0 && knob[RANDOM_FAILS] > 0 && __atomic_fetch_sub(&knob[RANDOM_FAILS], 1, __ATOMIC_SEQ_CST) > 0) {
        hit();
        errno = EIO;
        return -1;
    }
    return REAL(getrandom)(bytes, length, flags);
}
