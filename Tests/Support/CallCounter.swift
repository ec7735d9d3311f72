import Foundation

/// A small library that is loaded before the system's own and counts what a server asks of it.
///
/// The counts lie in a file that the server maps into its memory, so that they can be read at any moment. System
/// calls are counted where the C library offers them: what it does by itself, such as waiting for a contended lock, is
/// not seen.
package final class CallCounter: Sendable {
    /// What is counted, in the order of the file.
    package enum Kind: Int, CaseIterable, Sendable {
        /// Calls of `malloc` and its kin.
        case allocations
        /// `recv`, `read` and their kin; `send`, `write` and theirs.
        case reads, writes
        /// `fdatasync`, `fsync`.
        case syncs
        /// `epoll_wait`, `poll` and their kin; the other calls about epoll, timers and events.
        case waits, watches
        /// Everything else that is known here: `sched_yield`, `accept4`, `close`, and `syscall` itself.
        case others
        /// Statements over connections on which a COPY was made: the loader's.
        case statements
    }

    /// The counts between two moments.
    package struct Counts: Sendable {
        fileprivate var numbers: [UInt64]

        package subscript(_ kind: Kind) -> Int { Int(numbers[kind.rawValue]) }
        /// All kinds of system calls.
        package var calls: Int {
            [Kind.reads, .writes, .syncs, .waits, .watches, .others].reduce(0) { $0 + self[$1] }
        }

        package static func - (later: Counts, earlier: Counts) -> Counts {
            Counts(numbers: zip(later.numbers, earlier.numbers).map { $0 &- $1 })
        }
    }

    private let file: String
    private let library: String

    /// Compiles the library with `cc`.
    package init() throws {
        file = Scratch.shared.newPath("counts")
        library = Scratch.shared.newPath("counter") + ".so"
        let source = Scratch.shared.newPath("counter") + ".c"
        try writeFile(source, Self.source)
        try writeFile(file, String(repeating: "\0", count: 4096))
        let built = try run(["/usr/bin/cc", "-shared", "-fPIC", "-O2", "-w", "-o", library, source, "-ldl"])
        guard built.exit == .code(0) else { throw Failure("cc: \(built.output)") }
    }

    /// What the server's environment has to have.
    package var environment: [String: String] { ["LD_PRELOAD": library, "WAYMARK_COUNTS": file] }

    package var counts: Counts {
        get throws {
            let bytes = try readFile(file)
            let numbers = Kind.allCases.map { kind in
                bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 8 * kind.rawValue, as: UInt64.self) }
            }
            return Counts(numbers: numbers)
        }
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <stdarg.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/epoll.h>
        #include <sys/mman.h>
        #include <sys/socket.h>
        #include <sys/timerfd.h>
        #include <sys/uio.h>
        #include <unistd.h>

        enum { allocations, reads, writes, syncs, waits, watches, others, statements };
        static uint64_t early[64], *counts = early;
        static void *loaders[64];

        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("WAYMARK_COUNTS");
            int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
            close(file);
            if (map != MAP_FAILED) counts = map;
        }
        static inline void count(int kind) { __atomic_fetch_add(&counts[kind], 1, __ATOMIC_RELAXED); }

        extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
        extern void *__libc_memalign(size_t, size_t);
        void *malloc(size_t n) { count(allocations); return __libc_malloc(n); }
        void *calloc(size_t n, size_t m) { count(allocations); return __libc_calloc(n, m); }
        void *realloc(void *p, size_t n) { count(allocations); return __libc_realloc(p, n); }
        void *memalign(size_t a, size_t n) { count(allocations); return __libc_memalign(a, n); }
        void *aligned_alloc(size_t a, size_t n) { count(allocations); return __libc_memalign(a, n); }
        int posix_memalign(void **p, size_t a, size_t n) {
            count(allocations);
            return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM;
        }

        #define PASS(kind, type, name, declared, passed) \\
            type name declared { \\
                static type (*real) declared; \\
                if (!real) real = dlsym(RTLD_NEXT, #name); \\
                count(kind); \\
                return real passed; \\
            }
        PASS(reads, ssize_t, read, (int a, void *b, size_t c), (a, b, c))
        PASS(reads, ssize_t, __read_chk, (int a, void *b, size_t c, size_t d), (a, b, c, d))
        PASS(reads, ssize_t, readv, (int a, const struct iovec *b, int c), (a, b, c))
        PASS(reads, ssize_t, pread, (int a, void *b, size_t c, off_t d), (a, b, c, d))
        PASS(reads, ssize_t, pread64, (int a, void *b, size_t c, off64_t d), (a, b, c, d))
        PASS(reads, ssize_t, recv, (int a, void *b, size_t c, int d), (a, b, c, d))
        PASS(reads, ssize_t, __recv_chk, (int a, void *b, size_t c, size_t d, int e), (a, b, c, d, e))
        PASS(reads, ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c))
        PASS(writes, ssize_t, write, (int a, const void *b, size_t c), (a, b, c))
        PASS(writes, ssize_t, writev, (int a, const struct iovec *b, int c), (a, b, c))
        PASS(writes, ssize_t, pwrite, (int a, const void *b, size_t c, off_t d), (a, b, c, d))
        PASS(writes, ssize_t, pwrite64, (int a, const void *b, size_t c, off64_t d), (a, b, c, d))
        PASS(writes, ssize_t, pwritev, (int a, const struct iovec *b, int c, off_t d), (a, b, c, d))
        PASS(writes, ssize_t, send, (int a, const void *b, size_t c, int d), (a, b, c, d))
        PASS(writes, ssize_t, sendmsg, (int a, const struct msghdr *b, int c), (a, b, c))
        PASS(syncs, int, fdatasync, (int a), (a))
        PASS(syncs, int, fsync, (int a), (a))
        PASS(waits, int, epoll_wait, (int a, struct epoll_event *b, int c, int d), (a, b, c, d))
        PASS(waits, int, poll, (struct pollfd *a, nfds_t b, int c), (a, b, c))
        PASS(waits, int, __poll_chk, (struct pollfd *a, nfds_t b, int c, size_t d), (a, b, c, d))
        PASS(watches, int, epoll_ctl, (int a, int b, int c, struct epoll_event *d), (a, b, c, d))
        PASS(watches, int, timerfd_settime, (int a, int b, const struct itimerspec *c, struct itimerspec *d), \\
            (a, b, c, d))
        PASS(watches, int, eventfd_write, (int a, uint64_t b), (a, b))
        PASS(watches, int, eventfd_read, (int a, uint64_t *b), (a, b))
        PASS(others, int, sched_yield, (void), ())
        PASS(others, int, accept4, (int a, struct sockaddr *b, socklen_t *c, int d), (a, b, c, d))
        PASS(others, int, close, (int a), (a))

        long syscall(long number, ...) {
            static long (*real)(long, ...);
            if (!real) real = dlsym(RTLD_NEXT, "syscall");
            va_list list;
            va_start(list, number);
            long a[6];
            for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
            va_end(list);
            count(others);
            return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        }

        static int loads(void *connection) {
            for (int i = 0; i < 64 && loaders[i]; i++) if (loaders[i] == connection) return 1;
            return 0;
        }
        int PQputCopyData(void *c, const char *b, int n) {
            static int (*real)(void *, const char *, int);
            if (!real) real = dlsym(RTLD_NEXT, "PQputCopyData");
            if (!loads(c)) for (int i = 0; i < 63; i++) if (!loaders[i]) { loaders[i] = c; break; }
            return real(c, b, n);
        }
        int PQsendQuery(void *c, const char *q) {
            static int (*real)(void *, const char *);
            if (!real) real = dlsym(RTLD_NEXT, "PQsendQuery");
            if (loads(c)) count(statements);
            return real(c, q);
        }
        int PQsendQueryParams(void *c, const char *q, int n, const unsigned *t, const char *const *v, const int *l,
                              const int *f, int r) {
            static int (*real)(void *, const char *, int, const unsigned *, const char *const *, const int *,
                               const int *, int);
            if (!real) real = dlsym(RTLD_NEXT, "PQsendQueryParams");
            if (loads(c)) count(statements);
            return real(c, q, n, t, v, l, f, r);
        }
        """
}
