import Foundations

/// A piece of a segment in memory, and the records in it: what reading and recovery share.
///
/// Only bytes before `limit` are ever read; they do not change any more, so the piece stays true.
final class RecordWindow {
    private let file: SegmentFile
    private let seed: UInt32
    private let piece: Int
    private var buffer: ByteBuffer
    /// Where in the file the buffer begins.
    private var start = 0
    /// How often the file was read: whoever fears that it was recycled meanwhile looks again when this grows.
    private(set) var reads = 0

    init(_ file: SegmentFile, seed: UInt32, piece: Int = 256 << 10) {
        self.file = file
        self.seed = seed
        self.piece = piece
        buffer = ByteBuffer(capacity: piece)
    }

    struct Record {
        var header: RecordHeader
        /// Valid until the window is used again.
        var body: Bytes
        var next: UInt32
    }

    /// `count` bytes at `offset`; nil when they do not lie before `limit`, or the file is shorter.
    private func bytes(at offset: Int, _ count: Int, limit: Int) throws(SystemError) -> Bytes? {
        guard offset + count <= limit else { return nil }
        if offset < start || offset + count > start + buffer.count {
            buffer.removeAll()
            if buffer.capacity > 16 * piece, count <= piece { buffer.shrink(to: piece) }
            start = offset
            reads += 1
            let wanted = min(max(count, piece), limit - offset)
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer.space(wanted)[0..<wanted])
            buffer.filled(try file.read(into: room, at: offset))
            guard count <= buffer.count else { return nil }
        }
        return buffer[offset - start..<offset - start + count]
    }

    /// The record that begins at `offset`; nil when there is no intact one.
    func record(at offset: UInt32, limit: UInt32) throws(SystemError) -> Record? {
        let (place, limit) = (Int(offset), Int(limit))
        guard let bytes = try bytes(at: place, RecordHeader.bytes, limit: limit),
            let header = RecordHeader.decode(bytes, seed: seed, offset: offset)
        else { return nil }
        let length = Int(header.length)
        guard
            let whole = try self.bytes(at: place, RecordHeader.bytes + length, limit: limit)
        else { return nil }
        let body = whole.slice(RecordHeader.bytes..<whole.count)
        guard crc32c(body) == header.checksum else { return nil }
        let next = place + RecordHeader.footprint(length)
        return next <= limit ? Record(header: header, body: body, next: UInt32(next)) : nil
    }

    /// Where the next intact record begins, behind a place where there is none.
    func search(after offset: UInt32, limit: UInt32) throws(SystemError) -> UInt32? {
        let step = RecordHeader.alignment
        var place = (Int(offset) + step) & ~(step - 1)
        while place + RecordHeader.bytes <= limit {
            let count = min(piece, Int(limit) - place) & ~(step - 1)
            guard let bytes = try bytes(at: place, count, limit: Int(limit)) else { return nil }
            guard let hit = Self.firstMarker(bytes, step) else {
                place += count
                continue
            }
            place += hit
            if place + RecordHeader.bytes <= limit, try record(at: UInt32(place), limit: limit) != nil {
                return UInt32(place)
            }
            place += step
        }
        return nil
    }

    private static func firstMarker(_ bytes: Bytes, _ step: Int) -> Int? {
        var i = 0
        while i < bytes.count {
            // Most of what lies behind the log was never written.
            let page = bytes.slice(i..<min(i + pageBytes, bytes.count))
            if !page.equals(WriteGroup.zeros.slice(0..<page.count)) {
                for place in stride(from: 0, to: page.count, by: step)
                where RecordHeader.mayBegin(page, at: place) {
                    return i + place
                }
            }
            i += page.count
        }
        return nil
    }
}
