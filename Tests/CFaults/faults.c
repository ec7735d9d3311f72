#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic(faults_hook) hook;

void faults_set_hook(faults_hook new_hook) { atomic_store(&hook, new_hook); }

static const char *const names[] = {"pwrite", "pwritev", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "reserve"};

static int listed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length) {
        char after = at[length];
        if ((at == list || at[-1] == ',') && (after == 0 || after == ',')) return 1;
    }
    return 0;
}

static int ordered(const faults_call *call) {
    const char *fail = getenv("FAULTS_FAIL");
    if (!fail || !listed(fail, names[call->operation])) return 0;
    const char *path = getenv("FAULTS_PATH");
    if (path && !strstr(call->path, path)) return 0;
    const char *file = getenv("FAULTS_FILE");
    if (file && access(file, F_OK) != 0) return 0;
    const char *error = getenv("FAULTS_ERROR");
    return error ? atoi(error) : EIO;
}

static int before(const faults_call *call) {
    faults_hook ask = atomic_load(&hook);
    int error = ask ? ask(call, 0) : 0;
    return error ? error : ordered(call);
}

static long after(const faults_call *call, int error, long result) {
    int kept = error ? error : errno;
    faults_hook ask = atomic_load(&hook);
    if (ask) ask(call, 1);
    errno = kept;
    return error ? -1 : result;
}

static void name(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, path, 4095);
    path[n > 0 ? n : 0] = 0;
}

#define PERFORM(result_type, call, real)                   \
    int error = before(&call);                             \
    long result = error ? -1 : (long)(real);               \
    return (result_type)after(&call, error, result)

#define DESCRIBE(call, operation, fd, offset, count)       \
    char path[4096];                                       \
    name(fd, path);                                        \
    faults_call call = {operation, fd, path, NULL, offset, count}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    DESCRIBE(call, faults_pwrite, fd, offset, count);
    PERFORM(ssize_t, call, syscall(SYS_pwrite64, fd, bytes, count, offset));
}

ssize_t pwritev(int fd, const struct iovec *pieces, int number, off_t offset) {
    size_t count = 0;
    for (int i = 0; i < number; i++) count += pieces[i].iov_len;
    DESCRIBE(call, faults_pwritev, fd, offset, count);
    PERFORM(ssize_t, call, syscall(SYS_pwritev, fd, pieces, number, offset, 0L));
}

int fdatasync(int fd) {
    DESCRIBE(call, faults_fdatasync, fd, 0, 0);
    PERFORM(int, call, syscall(SYS_fdatasync, fd));
}

int fsync(int fd) {
    DESCRIBE(call, faults_fsync, fd, 0, 0);
    PERFORM(int, call, syscall(SYS_fsync, fd));
}

int ftruncate(int fd, off_t length) {
    DESCRIBE(call, faults_ftruncate, fd, length, 0);
    PERFORM(int, call, syscall(SYS_ftruncate, fd, length));
}

int rename(const char *old, const char *new) {
    faults_call call = {faults_rename, -1, old, new, 0, 0};
    PERFORM(int, call, syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0));
}

int unlink(const char *path) {
    faults_call call = {faults_unlink, -1, path, NULL, 0, 0};
    PERFORM(int, call, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int posix_fallocate(int fd, off_t offset, off_t length) {
    DESCRIBE(call, faults_reserve, fd, offset, (size_t)length);
    int error = before(&call);
    int code = error ? error : syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
    after(&call, error, 0);
    return code;
}
