import Foundation

/// A small library that is loaded before the system's own and makes single calls fail, hang or crash on demand.
///
/// What it does is read from a file at every call, so that a test changes it while the server runs.
package final class FaultShim: Sendable {
    package enum Fault: String, Sendable {
        case none = ""
        /// `fdatasync` fails with EIO: the page cache has lost what was written.
        case syncFails
        /// `fdatasync` does not return.
        case syncHangs
        /// `pwrite` and its kin fail with ENOSPC.
        case diskFull
        /// `pwrite` fails with EIO.
        case writeFails
        /// The process aborts when bytes with the marker are sent to PostgreSQL.
        case crashOnMarker
    }

    /// The bytes that `crashOnMarker` looks for.
    package static let marker = "crash-the-process-marker"

    private let control: String
    private let library: String

    /// Compiles the library with `cc`.
    package init() throws {
        control = Scratch.shared.newPath("fault")
        library = Scratch.shared.newPath("shim") + ".so"
        let source = Scratch.shared.newPath("shim") + ".c"
        try writeFile(source, Self.source)
        let built = try run(["/usr/bin/cc", "-shared", "-fPIC", "-O1", "-w", "-o", library, source, "-ldl"])
        guard built.exit == .code(0) else { throw Failure("cc: \(built.output)") }
        try set(.none)
    }

    package func set(_ fault: Fault) throws {
        try writeFile("\(control).new", fault.rawValue)
        guard rename("\(control).new", control) == 0 else { throw Failure("rename \(control)") }
    }

    /// What the server's environment has to have.
    package var environment: [String: String] { ["LD_PRELOAD": library, "WAYMARK_FAULT_FILE": control] }

    // Only files below a spool are touched: descriptors whose path says so. PostgreSQL's own files are not.
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/uio.h>
        #include <unistd.h>

        static int is(const char *fault) {
            char text[64] = {0};
            const char *path = getenv("WAYMARK_FAULT_FILE");
            int saved = errno, fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (fd >= 0) { read(fd, text, sizeof text - 1); close(fd); }
            errno = saved;
            return strcmp(text, fault) == 0;
        }
        static int spool(int fd) {
            char link[64], path[4096];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t n = readlink(link, path, sizeof path - 1);
            if (n <= 0) return 0;
            path[n] = 0;
            return strstr(path, "/data/spool") != NULL;
        }
        #define NEXT(type, name, ...) static type (*real)(__VA_ARGS__); \\
            if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

        static int sync_fault(int fd) {
            if (!spool(fd)) return 0;
            while (is("syncHangs")) usleep(1000);
            if (is("syncFails")) { errno = EIO; return -1; }
            return 0;
        }
        int fdatasync(int fd) { NEXT(int, "fdatasync", int); return sync_fault(fd) ? -1 : real(fd); }
        int fsync(int fd) { NEXT(int, "fsync", int); return sync_fault(fd) ? -1 : real(fd); }

        static int write_fault(int fd) {
            if (!spool(fd)) return 0;
            if (is("diskFull")) { errno = ENOSPC; return -1; }
            if (is("writeFails")) { errno = EIO; return -1; }
            return 0;
        }
        ssize_t pwrite(int fd, const void *b, size_t n, off_t at) {
            NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);
            return write_fault(fd) ? -1 : real(fd, b, n, at);
        }
        ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) {
            NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
            return write_fault(fd) ? -1 : real(fd, b, n, at);
        }
        ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) {
            NEXT(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
            return write_fault(fd) ? -1 : real(fd, v, n, at);
        }
        ssize_t write(int fd, const void *b, size_t n) {
            NEXT(ssize_t, "write", int, const void *, size_t);
            return write_fault(fd) ? -1 : real(fd, b, n);
        }
        int fallocate(int fd, int mode, off_t at, off_t n) {
            NEXT(int, "fallocate", int, int, off_t, off_t);
            return write_fault(fd) ? -1 : real(fd, mode, at, n);
        }
        int posix_fallocate(int fd, off_t at, off_t n) {
            NEXT(int, "posix_fallocate", int, off_t, off_t);
            return write_fault(fd) ? errno : real(fd, at, n);
        }
        int ftruncate(int fd, off_t n) {
            NEXT(int, "ftruncate", int, off_t);
            return write_fault(fd) ? -1 : real(fd, n);
        }
        int PQputCopyData(void *connection, const char *b, int n) {
            NEXT(int, "PQputCopyData", void *, const char *, int);
            if (memmem(b, n, "\(marker)", \(marker.utf8.count)) && is("crashOnMarker")) abort();
            return real(connection, b, n);
        }
        """
}
