#define _GNU_SOURCE
#include "clinux_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Between fork and exec only system calls: another thread may have held any lock, of malloc or of glibc's own
// setuid, when we forked. Hence `syscall` where glibc's wrapper does more than to call.

enum { STEP_DESCRIPTORS, STEP_SESSION, STEP_GROUP, STEP_USER, STEP_CAPABILITY, STEP_EXEC };

static const char *const step_names[] = {
    "giving it its descriptors", "making its session", "becoming its group", "becoming its user",
    "keeping the capability to go through closed folders", "executing it",
};

struct report {
    int step;
    int code;
};

static int permitted(unsigned capability, struct __user_cap_data_struct *data) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    if (syscall(SYS_capget, &header, data) != 0) return 0;
    return (data[capability / 32].permitted >> (capability % 32)) & 1;
}

// CAP_DAC_READ_SEARCH is enough; containers often have only the larger CAP_DAC_OVERRIDE.
static int keep_search(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    unsigned capability = permitted(CAP_DAC_READ_SEARCH, data) ? CAP_DAC_READ_SEARCH : CAP_DAC_OVERRIDE;
    memset(data, 0, sizeof data);
    data[0].permitted = data[0].effective = data[0].inheritable = 1u << capability;
    if (syscall(SYS_capset, &header, data) != 0) return -1;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

static int become(const clinux_spawn_options *options) {
    if (options->keep_search && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return STEP_CAPABILITY;
    gid_t gid = options->gid;
    if (syscall(SYS_setgroups, 1, &gid) != 0) return STEP_GROUP;
    if (syscall(SYS_setresgid, gid, gid, gid) != 0) return STEP_GROUP;
    if (syscall(SYS_setresuid, options->uid, options->uid, options->uid) != 0) return STEP_USER;
    if (options->keep_search && keep_search() != 0) return STEP_CAPABILITY;
    return -1;
}

static int arrange_descriptors(int output, int *report) {
    // Away from the first numbers, where ours may be when we were started without them.
    int from = fcntl(output, F_DUPFD, 10), null = open("/dev/null", O_RDWR);
    int to = fcntl(*report, F_DUPFD_CLOEXEC, 10);
    if (from < 0 || null < 0 || to < 0) return -1;
    if (dup2(null, 0) < 0 || dup2(from, 1) < 0 || dup2(from, 2) < 0) return -1;
    if (dup3(to, 3, O_CLOEXEC) < 0) return -1;
    *report = 3;
    if (syscall(SYS_close_range, 4u, UINT_MAX, 0) == 0) return 0;
    for (int fd = 4; fd < 65536; fd++) close(fd);
    return 0;
}

static void become_program(const clinux_spawn_options *options, int report) {
    struct report failure = {STEP_EXEC, 0};
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(077);

    if (arrange_descriptors(options->output, &report) != 0) {
        failure.step = STEP_DESCRIPTORS;
    } else if (setsid() < 0) {
        failure.step = STEP_SESSION;
    } else {
        int step = options->change_user ? become(options) : -1;
        if (step >= 0) {
            failure.step = step;
        } else {
            // A folder that the new user cannot enter is no working directory for it.
            if (chdir("/") == 0) execve(options->path, options->arguments, options->environment);
        }
    }
    failure.code = errno;
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

int32_t clinux_spawn(const clinux_spawn_options *options, const char **step) {
    int ends[2];
    *step = "starting it";
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // no handler of ours may run in the child
    pid_t child = fork();
    if (child == 0) become_program(options, ends[1]);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        errno = code;
        return -1;
    }
    struct report failure;
    ssize_t count;
    do count = read(ends[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count != (ssize_t)sizeof failure) return child;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *step = step_names[failure.step];
    errno = failure.code;
    return -1;
}
