import Glibc

/// A system call that failed: its `errno`, which call it was, and what it was about.
package struct SystemError: Error, CustomStringConvertible, Equatable {
    package let code: Int32
    package let operation: String
    /// The path, address or whatever the call was about; empty when there is none.
    package let subject: String

    package init(code: Int32 = errno, _ operation: String, _ subject: String = "") {
        self.code = code
        self.operation = operation
        self.subject = subject
    }

    package var description: String {
        let text = String(cString: strerror(code))
        return subject.isEmpty ? "\(operation): \(text)" : "\(operation) \(subject): \(text)"
    }
}

/// Repeats a system call while a signal interrupts it; throws `SystemError` when it answers −1.
@discardableResult
package func retrying<Value: SignedInteger>(
    _ operation: String, _ subject: @autoclosure () -> String = "", _ call: () -> Value
) throws(SystemError) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }
        let code = errno
        if code != EINTR { throw SystemError(code: code, operation, subject()) }
    }
}

/// The owner of a file descriptor: closes it when it goes away.
package struct FileDescriptor: ~Copyable, Sendable {
    package let raw: Int32

    package init(_ raw: Int32) { self.raw = raw }

    package init(open path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) {
        raw = try retrying("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) }
    }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    deinit { close(raw) }
}
