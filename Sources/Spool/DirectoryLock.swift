import Foundations
import Glibc

/// Holds `data/lock` for as long as it lives, so that no second server works in the same directory.
///
/// The kernel drops the lock with the process, however that ends. The file holds the process id, for the
/// message that a second start prints.
struct DirectoryLock: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    init(data: String) throws(SpoolError) {
        let path = data + "/lock"
        let file = try attempt { () throws(SystemError) in
            try FileDescriptor(open: path, O_RDWR | O_CREAT)
        }
        while flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EWOULDBLOCK { throw .locked(path: data, pid: Self.holder(path)) }
            if code != EINTR { throw .failed(SystemError(code: code, "flock", path)) }
        }
        var text = ByteBuffer()
        text.append(decimal: Int(getpid()))
        text.append("\n")
        // The id is a courtesy: a disk that is full does not keep the server from starting.
        _ = ftruncate(file.raw, 0)
        _ = pwrite(file.raw, text.bytes.baseAddress, text.count, 0)
        descriptor = file
    }

    private static func holder(_ path: String) -> Int32 {
        guard let file = try? SegmentFile(path: path, O_RDONLY) else { return 0 }
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { room in
            let count = (try? file.read(into: room, at: 0)) ?? 0
            return Int32(Bytes(room).slice(0..<count).trimmed.text) ?? 0
        }
    }
}
