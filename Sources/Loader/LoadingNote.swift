import Foundations
import Glibc
import Spool

/// A note on disk of what is being loaded, so that a record which crashes the process is found: what was being
/// tried when the process died, and how often that happened.
///
/// It need not survive a loss of power (then nothing crashed us): it is written without a sync.
///
///     0  u32  CRC32C of the rest      4  u32  events in the range       8  i64  position of the record
///     16 u32  part of the record      20 u32  crashes so far
struct LoadingNote: ~Copyable {
    struct Suspect: Equatable {
        var begin: LoadPosition
        /// How many events were tried.
        var events: Int
        var crashes: Int
    }

    private let file: FileDescriptor
    private let path: String

    init(path: String) throws(SystemError) {
        self.path = path
        file = try FileDescriptor(open: path, O_RDWR | O_CREAT)
    }

    /// What was being tried when the last process ended without saying so; its crash is counted already.
    func suspect() throws(SystemError) -> Suspect? {
        var bytes = [UInt8](repeating: 0, count: 24)
        let count = try retrying("read", path) { pread(file.raw, &bytes, 24, 0) }
        return bytes.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> UInt32 {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            guard count == 24, word(0) == crc32c(bytes.slice(4..<24)), word(4) > 0 else { return nil }
            let position = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
            return Suspect(
                begin: LoadPosition(record: Position(rawValue: position), part: Int(word(16))),
                events: Int(word(4)), crashes: Int(word(20)) + 1)
        }
    }

    /// Notes what is about to be tried, and how many crashes it has behind it.
    func write(_ begin: LoadPosition, events: Int, crashes: Int) throws(SystemError) {
        var buffer = ByteBuffer(capacity: 24)
        buffer.append(little: UInt32(0))
        buffer.append(little: UInt32(events))
        buffer.append(little: begin.record.rawValue)
        buffer.append(little: UInt32(begin.part))
        buffer.append(little: UInt32(crashes))
        buffer.replace(little: crc32c(buffer[4..<24]), at: 0)
        let bytes = buffer.bytes
        try retrying("write", path) { pwrite(file.raw, bytes.baseAddress, 24, 0) }
    }

    /// Says that nothing is being tried.
    func clear() throws(SystemError) { try write(.start, events: 0, crashes: 0) }
}
