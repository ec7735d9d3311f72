#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
static struct sigaction before[NSIG];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int installed = -1;

// Of each thread: nothing but the thread itself and its signal handler looks at it.
static __thread volatile sig_atomic_t armed;
static __thread volatile sig_atomic_t lent_stack;
static __thread int mark_descriptor;
static __thread int64_t mark_offset;

static int is_our_own(const siginfo_t *info) {
    return info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());
}

// Only async-signal-safe calls.
static void crashed(int number, siginfo_t *info, void *context) {
    (void)context;
    int code = errno;
    if (armed && is_our_own(info)) {
        armed = 0;
        unsigned char mark[4] = {(unsigned char)number, 0, 0, 0};
        ssize_t written = pwrite(mark_descriptor, mark, sizeof mark, mark_offset);
        (void)written;
    }
    sigaction(number, &before[number], NULL);
    // A fault comes again when we return, with all that a core dump should show. What was sent does not, nor does a
    // trap whose instruction is done.
    if (info->si_code <= 0 || number == SIGTRAP) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
    errno = code;
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = crashed;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        if (sigaction(fatal[i], &action, &before[fatal[i]]) != 0) return;
    installed = 0;
}

int clinux_crash_arm(int descriptor, int64_t offset, void *stack, size_t size) {
    pthread_once(&once, install);
    if (installed != 0) {
        errno = EINVAL;
        return -1;
    }
    stack_t current;
    if (sigaltstack(NULL, &current) != 0) return -1;
    if (current.ss_flags & SS_DISABLE) {
        stack_t lent = {.ss_sp = stack, .ss_flags = 0, .ss_size = size};
        if (sigaltstack(&lent, NULL) != 0) return -1;
        lent_stack = 1;
    }
    mark_descriptor = descriptor;
    mark_offset = offset;
    armed = 1;
    return 0;
}

void clinux_crash_disarm(void) {
    armed = 0;
    if (!lent_stack) return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    lent_stack = 0;
}
