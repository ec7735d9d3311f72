import Foundation

/// A server's spool on disk, to be damaged while the server is down.
package struct SpoolFiles {
    package let folder: String

    package init(of server: Server) { folder = "\(server.data)/spool" }

    /// The segment with the highest number.
    package func newest() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let segments = names.filter { $0.hasSuffix(".segment") }.sorted()
        guard let last = segments.last else { throw Failure("no segment in \(folder)") }
        return "\(folder)/\(last)"
    }

    /// Where the last byte of a segment stands that is not zero: the end of what was written.
    package func end(of path: String) throws -> Int {
        // Through the pointer: a segment is large, and a debug build slow.
        try readFile(path).withUnsafeBufferPointer { bytes in
            var end = bytes.count
            while end > 0, bytes[end - 1] == 0 { end -= 1 }
            return end
        }
    }

    package enum Damage: CaseIterable, Sendable {
        /// The end of the last record never reached the disk.
        case lost
        /// It reached the disk as something else.
        case garbled
        /// The file ends in the middle of it.
        case truncated
        /// Behind it lies something that is no record.
        case followed
    }

    /// Damages the last record, which nobody was promised.
    package func damageTail(_ damage: Damage) throws {
        let path = try newest()
        let end = try end(of: path)
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw Failure("cannot open \(path)") }
        defer { close(file) }
        let garbage = (0..<32).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        let zeros = [UInt8](repeating: 0, count: 16)
        switch damage {
        case .lost: pwrite(file, zeros, 16, off_t(end - 16))
        case .garbled: pwrite(file, garbage, 12, off_t(end - 20))
        case .truncated: ftruncate(file, off_t(end - 5))
        case .followed: pwrite(file, garbage, 32, off_t((end + 7) & ~7))
        }
    }
}
