private import CLinux
import Foundations
import Glibc
import Spool

/// A note on disk of what is being loaded, so that an event which crashes the process is found.
///
/// It is written before each try. Only when the thread that loads *crashes*, by a fault of the processor or an
/// abort, a handler adds the signal's number to it; a process that was killed from outside, by an operator or
/// for want of memory, or lost its power, leaves no mark and accuses nobody. It is never synced: after a loss of
/// power there is nothing to find.
///
///     0  u32  CRC32C of 4 ..< 24       4  u32  events in the range       8  i64  position of the record
///     16 u32  part of the record      20 u32  crashes so far           24 u32  signal that ended this try, or 0
struct LoadingNote: ~Copyable {
    private let file: FileDescriptor
    private let path: String
    /// What the handler runs on: the loader's own stack may be what overflowed.
    private let stack: UnsafeMutableRawPointer

    private static let bytes = 28
    private static let signalOffset = 24
    private static let stackBytes = 64 << 10

    init(path: String) throws(SystemError) {
        self.path = path
        file = try FileDescriptor(open: path, O_RDWR | O_CREAT)
        stack = .allocate(byteCount: Self.stackBytes, alignment: 16)
        // Later writes only overwrite: they succeed on a full disk as well.
        if !isWhole { write(nil) }
    }

    deinit { stack.deallocate() }

    /// What crashed the last process, or was under suspicion when it ended. A marked try counts as a crash.
    func suspicion() throws(SystemError) -> Suspicion? { try found() ?? nil }

    /// Tries something while the note says what: a crash in `body` is found at the next start.
    func trying<Result, Failure: Error>(
        _ range: Suspicion, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        write(range)
        let isArmed = clinux_crash_arm(file.raw, Int64(Self.signalOffset), stack, Self.stackBytes) == 0
        defer { if isArmed { clinux_crash_disarm() } }
        return try body()
    }

    /// Says that nothing is being tried, and what is still under suspicion. When the disk refuses, the loader
    /// goes on: it is what makes room again.
    func write(_ range: Suspicion?) {
        var buffer = ByteBuffer(capacity: Self.bytes)
        buffer.append(little: UInt32(0))
        buffer.append(little: UInt32(clamping: range?.events ?? 0))
        buffer.append(little: (range?.begin ?? .start).record.rawValue)
        buffer.append(little: UInt32(clamping: range?.begin.part ?? 0))
        buffer.append(little: UInt32(clamping: range?.crashes ?? 0))
        buffer.append(little: UInt32(0))
        buffer.replace(little: crc32c(buffer[4..<Self.signalOffset]), at: 0)
        let bytes = buffer.bytes
        _ = try? retrying("write", path) { pwrite(file.raw, bytes.baseAddress, bytes.count, 0) }
    }

    private var isWhole: Bool {
        do { return try found() != nil } catch { return false }
    }

    /// Nil: no whole note. Otherwise the suspicion in it, if any.
    private func found() throws(SystemError) -> Suspicion?? {
        var bytes = [UInt8](repeating: 0, count: Self.bytes)
        let count = try retrying("read", path) { pread(file.raw, &bytes, Self.bytes, 0) }
        return bytes.withUnsafeBytes { bytes in
            func word(_ offset: Int) -> UInt32 {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            }
            guard count == Self.bytes, word(0) == crc32c(bytes.slice(4..<Self.signalOffset)) else {
                return nil
            }
            let crashes = Int(word(20)) + (word(Self.signalOffset) == 0 ? 0 : 1)
            guard word(4) > 0, crashes > 0 else { return .some(nil) }
            let position = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
            return Suspicion(
                begin: LoadPosition(record: Position(rawValue: position), part: Int(word(16))),
                events: Int(word(4)), crashes: crashes)
        }
    }
}
