import Foundations
import Glibc

/// An open file of the spool; every system call that is made on one, each in one place.
///
/// Nothing here tries again: after a failed write or sync nobody knows what is on disk, so the caller gives
/// the file up.
final class SegmentFile: Sendable {
    /// What it was called when it was opened; for messages.
    let path: String
    private let descriptor: FileDescriptor

    init(path: String, _ flags: Int32) throws(SystemError) {
        self.path = path
        descriptor = try FileDescriptor(open: path, flags)
    }

    func size() throws(SystemError) -> Int {
        var facts = stat()
        try retrying("fstat", path) { fstat(descriptor.raw, &facts) }
        return Int(facts.st_size)
    }

    /// Reads until the room is full or the file ends; returns how much was read.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
        var done = 0
        while done < room.count, let base = room.baseAddress {
            let n = try retrying("pread", path) {
                pread(descriptor.raw, base + done, room.count - done, off_t(offset + done))
            }
            if n == 0 { break }
            done += n
        }
        return done
    }

    func write(_ bytes: Bytes, at offset: Int) throws(SystemError) {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let n = try retrying("pwrite", path) {
                pwrite(descriptor.raw, base + done, bytes.count - done, off_t(offset + done))
            }
            done += n
        }
    }

    /// Writes all pieces one behind the other, in one call unless the system takes only a part.
    func write(
        _ pieces: UnsafeMutablePointer<iovec>, _ count: Int, bytes: Int, at offset: Int
    ) throws(SystemError) {
        var (first, done) = (0, 0)
        while done < bytes {
            var n = try retrying("pwritev", path) {
                pwritev(descriptor.raw, pieces + first, Int32(count - first), off_t(offset + done))
            }
            done += n
            while first < count, n >= pieces[first].iov_len {
                n -= pieces[first].iov_len
                first += 1
            }
            if n > 0 {
                pieces[first].iov_base = pieces[first].iov_base.map { $0 + n }
                pieces[first].iov_len -= n
            }
        }
    }

    func sync() throws(SystemError) {
        if fdatasync(descriptor.raw) != 0 { throw SystemError("fdatasync", path) }
    }

    func truncate(to bytes: Int) throws(SystemError) {
        try retrying("ftruncate", path) { ftruncate(descriptor.raw, off_t(bytes)) }
    }

    /// Takes the blocks from the file system without writing them.
    func reserve(_ bytes: Int) throws(SystemError) {
        let code = posix_fallocate(descriptor.raw, 0, off_t(bytes))
        if code != 0 { throw SystemError(code: code, "posix_fallocate", path) }
    }

    /// Writes zeros, a piece at a time and synced, so that others on the same disk get their turn.
    func fill(_ bytes: Int) throws(SystemError) {
        let zeros = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(1 << 20, bytes), alignment: pageBytes)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
        var done = 0
        while done < bytes {
            let piece = min(zeros.count, bytes - done)
            try write(Bytes(zeros).slice(0..<piece), at: done)
            try sync()
            done += piece
        }
    }
}

extension ByteBuffer {
    /// Holds `count` bytes of a file from `offset` on, fewer when it ends before.
    mutating func fill(from file: SegmentFile, _ count: Int, at offset: Int = 0) throws(SystemError) {
        removeAll()
        let room = UnsafeMutableRawBufferPointer(rebasing: space(count)[0..<count])
        filled(try file.read(into: room, at: offset))
    }
}

/// Does something with files; what the system refuses becomes the spool's error.
func attempt<Result: ~Copyable>(_ body: () throws(SystemError) -> Result) throws(SpoolError) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error) }
}
