import Foundations
import Glibc

@testable import Spool

/// Whatever stands in a segment, its scan ends within it; whole records before the first damage are all found.
///
/// The input is a script, since no fuzzer guesses a checksum: two bytes say what comes and how long it is.
func fuzzSpool(_ bytes: Bytes) {
    let path = "/dev/shm/waymark-fuzz-\(getpid())"
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    precondition(descriptor >= 0)
    defer { close(descriptor) }
    let segment = Script(bytes).segment
    pwrite(descriptor, segment.bytes.bytes.baseAddress, segment.bytes.count, Int(SegmentHeader.bytes))
    _ = SegmentHeader.decode(bytes)
    guard let file = try? SegmentFile(path: path, O_RDONLY) else { return }
    let limit = SegmentHeader.bytes + UInt32(segment.bytes.count)
    let window = RecordWindow(file, seed: Script.seed, piece: 4096)
    guard let scan = try? SegmentScan(window, from: Timestamp(microseconds: 0), limit: limit) else { return }
    precondition(scan.end <= limit, "the log ends behind its segment")
    precondition(scan.records >= segment.whole, "\(scan.records) records of \(segment.whole) whole ones")
    for damage in scan.damages { precondition(damage.offset + damage.bytes <= limit) }
}

private struct Script {
    static let seed: UInt32 = 7

    struct Segment: ~Copyable {
        var bytes = ByteBuffer(capacity: 4096)
        /// Records before the first thing that is none.
        var whole = 0
    }

    private let steps: Bytes

    init(_ bytes: Bytes) { steps = bytes }

    var segment: Segment {
        var segment = Segment()
        var isWhole = true
        var at = 0
        while at + 2 <= steps.count, segment.bytes.count < 64 << 10 {
            let (step, length) = (steps[at], Int(steps[at + 1]))
            at += 2
            let body = steps.slice(at..<min(at + length, steps.count))
            switch step & 3 {
            case 0, 1:
                record(body, group: step & 1 == 1 ? segment.bytes.count : 0, into: &segment.bytes)
                if isWhole { segment.whole += 1 }
            case 2:
                segment.bytes.append(body)
                pad(&segment.bytes)
                if body.count > 0 { isWhole = false }
            default:
                record(body, group: 0, into: &segment.bytes)
                let broken = segment.bytes.count - 8
                segment.bytes.mutableBytes[broken] ^= 0xff
                isWhole = false
            }
            at += body.count
        }
        return segment
    }

    private func record(_ body: Bytes, group: Int, into buffer: inout ByteBuffer) {
        let offset = SegmentHeader.bytes + UInt32(buffer.count)
        let header = RecordHeader(
            length: UInt32(body.count), receivedAt: Timestamp(microseconds: Int64(offset)),
            group: SegmentHeader.bytes + UInt32(group), checksum: crc32c(body))
        if let room = buffer.space(RecordHeader.bytes).baseAddress {
            header.encode(into: room, seed: Self.seed, offset: offset)
        }
        buffer.filled(RecordHeader.bytes)
        buffer.append(body)
        pad(&buffer)
    }

    private func pad(_ buffer: inout ByteBuffer) {
        while buffer.count % RecordHeader.alignment != 0 { buffer.append(0) }
    }
}
