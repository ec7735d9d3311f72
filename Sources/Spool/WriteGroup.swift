import Foundations
import Glibc

/// The frames that are written together, as the list of pieces for one `pwritev`.
struct WriteGroup: ~Copyable {
    private static let most = 256
    private static let mostBytes = 8 << 20
    /// Before each header, room for the padding of the record before.
    private static let slot = RecordHeader.alignment + RecordHeader.bytes

    /// A page of zeros.
    nonisolated(unsafe) static let zeros: Bytes = {  // nobody owns it: constant, never freed
        let page = UnsafeMutableRawBufferPointer.allocate(byteCount: pageBytes, alignment: pageBytes)
        page.initializeMemory(as: UInt8.self, repeating: 0)
        return Bytes(page)
    }()

    private let headers: UnsafeMutableRawPointer
    private let pieces: UnsafeMutablePointer<iovec>
    private var count = 0
    private var bytes = 0
    /// Where the group's last record ends.
    private(set) var end: UInt32 = 0

    init() {
        headers = .allocate(byteCount: Self.most * Self.slot, alignment: 8)
        headers.initializeMemory(as: UInt8.self, repeating: 0, count: Self.most * Self.slot)
        pieces = .allocate(capacity: 2 * Self.most + 1)
        pieces.initialize(repeating: iovec(), count: 2 * Self.most + 1)
    }

    deinit {
        headers.deallocate()
        pieces.deallocate()
    }

    /// Takes as many frames as fit, gives them their positions and times, and returns how many. The first one
    /// must fit.
    mutating func gather(
        _ frames: [Frame], from first: Int, into segment: ActiveSegment, after durable: Position,
        latest: inout Timestamp
    ) -> Int {
        count = 0
        bytes = 0
        let begin = Int(segment.offset)
        var (taken, padding, position) = (0, 0, durable)
        while first + taken < frames.count, taken < Self.most {
            let frame = frames[first + taken]
            let length = frame.body.count
            let offset = begin + bytes + padding
            guard offset + RecordHeader.footprint(length) <= segment.bytes, bytes < Self.mostBytes else {
                break
            }
            latest = max(latest, frame.receivedAt)
            frame.receivedAt = latest
            let slot = headers + taken * Self.slot
            RecordHeader(
                length: UInt32(length), receivedAt: latest, group: segment.offset, checksum: frame.checksum
            ).encode(into: slot + RecordHeader.alignment, seed: segment.seed, offset: UInt32(offset))
            add(slot + RecordHeader.alignment - padding, padding + RecordHeader.bytes)
            if length > 0 { add(UnsafeMutableRawPointer(mutating: frame.body.bytes.baseAddress), length) }
            padding = RecordHeader.footprint(length) - RecordHeader.bytes - length
            end = UInt32(begin + bytes + padding)
            frame.position = position
            position = Position(segment: segment.number, offset: end)
            frame.next = position
            taken += 1
        }
        fillPage(begin)
        return taken
    }

    /// Zeros up to the end of the page: what is overwritten whole need not be read from disk first, and what
    /// lay behind the log before does not show.
    private mutating func fillPage(_ begin: Int) {
        let tail = -(begin + bytes) & (pageBytes - 1)
        if tail > 0 { add(UnsafeMutableRawPointer(mutating: Self.zeros.baseAddress), tail) }
    }

    private mutating func add(_ base: UnsafeMutableRawPointer?, _ length: Int) {
        pieces[count] = iovec(iov_base: base, iov_len: length)
        count += 1
        bytes += length
    }

    func write(to segment: ActiveSegment) throws(SystemError) {
        try segment.file.write(pieces, count, bytes: bytes, at: Int(segment.offset))
    }
}
