import Foundations
import Glibc

/// The installation's secret: made by the first migration, kept in the table `installation`, and cached in the
/// data directory so that a server can answer while PostgreSQL is away.
package final class Installation: Sendable {
    private let known = Locked<(secret: [UInt8], issuer: Issuer)?>(nil)
    private let path: String

    /// The cached secret is not the one that the database has: this data directory belongs to another database.
    package struct Mismatch: Error, CustomStringConvertible {
        package let path: String
        package var description: String {
            "the secret in \(path) is not the one of this database: the data directory belongs to another "
                + "installation. Point `database` at its own, or choose another `data` directory"
        }
    }

    /// Reads the cached secret of a data directory, if there is one.
    package init(data: String) throws(SystemError) {
        path = data + "/installation"
        guard access(path, F_OK) == 0 else { return }
        let file = try FileDescriptor(open: path, O_RDONLY)
        var text = [UInt8](repeating: 0, count: 4096)
        let count = try retrying("read", path) { read(file.raw, &text, text.count) }
        if let secret = Self.secret(fromHex: text[..<count]) {
            known.withLock { $0 = (secret, Issuer(secret: secret)) }
        }
    }

    /// Nil until the secret is known: the server is not ready before.
    package var issuer: Issuer? { known.withLock { $0?.issuer } }

    /// Takes the secret that the database has, and caches it (mode 0600).
    package func confirm(secret: [UInt8]) throws {
        let cached = known.withLock { $0?.secret }
        if let cached {
            if cached != secret { throw Mismatch(path: path) }
            return
        }
        try write(secret)
        known.withLock { $0 = (secret, Issuer(secret: secret)) }
    }

    /// A new file, synced, then renamed: whoever reads it sees all of it or none.
    private func write(_ secret: [UInt8]) throws(SystemError) {
        let temporary = path + ".new"
        var buffer = ByteBuffer()
        for byte in secret {
            for digit in [byte >> 4, byte & 15] { buffer.append(digit < 10 ? 48 + digit : 87 + digit) }
        }
        buffer.append(10)
        let file = try FileDescriptor(open: temporary, O_WRONLY | O_CREAT | O_TRUNC)
        let bytes = buffer.bytes
        let written = try retrying("write", temporary) {
            Glibc.write(file.raw, bytes.baseAddress, bytes.count)
        }
        guard written == bytes.count else { throw SystemError(code: ENOSPC, "write", temporary) }
        try retrying("fsync", temporary) { fsync(file.raw) }
        try retrying("rename", temporary) { rename(temporary, path) }
    }

    private static func secret(fromHex text: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = text.compactMap { byte -> UInt8? in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            default: nil
            }
        }
        guard digits.count >= 64, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
