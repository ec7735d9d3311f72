private import CZlib
import Foundations
import Testing

@testable import Intake

/// Packs bytes with zlib; `windowBits` says in which format.
private func packed(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
    var stream = z_stream()
    let version = String(cString: zlibVersion())
    deflateInit2_(
        &stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, version, Int32(MemoryLayout<z_stream>.size)
    )
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1024)
    let count = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, Z_FINISH)
            return output.count - Int(stream.avail_out)
        }
    }
    return Array(output[..<count])
}

private let gzip: Int32 = 15 + 16
private let zlib: Int32 = 15
private let bare: Int32 = -15

private func inflated(
    _ bytes: [UInt8], _ coding: Inflater.Coding, limit: Int = 1 << 20, by inflater: Inflater = Inflater()
) -> Result<[UInt8], InflateError> {
    var out = ByteBuffer()
    return bytes.withUnsafeBytes { bytes in
        do throws(InflateError) {
            try inflater.inflate(bytes, coding, limit: limit, into: &out)
            return .success(Array(out.bytes))
        } catch {
            return .failure(error)
        }
    }
}

@Test(arguments: [(gzip, Inflater.Coding.gzip), (zlib, .deflate), (bare, .deflate)], [0, 1, 100, 70_000])
func whatWasPackedComesOut(format: (bits: Int32, coding: Inflater.Coding), count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    #expect(inflated(packed(bytes, windowBits: format.bits), format.coding) == .success(bytes))
}

@Test func anInflaterIsReusedAfterSuccessAndFailure() {
    let inflater = Inflater()
    let good = packed(Array("good".utf8), windowBits: gzip)
    for _ in 0..<3 {
        #expect(inflated(good, .gzip, by: inflater) == .success(Array("good".utf8)))
        #expect(inflated(Array(good.dropLast()), .gzip, by: inflater) == .failure(.malformed))
        #expect(inflated(packed([7], windowBits: bare), .deflate, by: inflater) == .success([7]))
    }
}

@Test func membersOfAGzipFollowOneAnother() {
    let two = packed(Array("one ".utf8), windowBits: gzip) + packed(Array("two".utf8), windowBits: gzip)
    #expect(inflated(two, .gzip) == .success(Array("one two".utf8)))
}

@Test func anythingBehindTheEndIsRefused() {
    #expect(inflated(packed([1], windowBits: gzip) + [0], .gzip) == .failure(.malformed))
    #expect(inflated(packed([1], windowBits: zlib) + [0], .deflate) == .failure(.malformed))
}

@Test func everyCutIsNoticed() {
    let whole = packed((0..<200).map { UInt8($0) }, windowBits: gzip)
    for count in 0..<whole.count {
        #expect(inflated(Array(whole[..<count]), .gzip) == .failure(.malformed))
    }
}

@Test func aWrongChecksumIsNoticed() {
    var whole = packed(Array("checked".utf8), windowBits: gzip)
    whole[whole.count - 6] ^= 1
    #expect(inflated(whole, .gzip) == .failure(.malformed))
}

@Test func theLimitIsExact() {
    let whole = packed([UInt8](repeating: 1, count: 5000), windowBits: gzip)
    #expect(inflated(whole, .gzip, limit: 5000) == .success([UInt8](repeating: 1, count: 5000)))
    #expect(inflated(whole, .gzip, limit: 4999) == .failure(.tooLarge))
    #expect(inflated(packed([], windowBits: gzip), .gzip, limit: 0) == .success([]))
}

@Test(arguments: [(gzip, Inflater.Coding.gzip), (zlib, .deflate)])
func aBombIsStoppedAtTheLimit(bits: Int32, coding: Inflater.Coding) {
    let bomb = packed([UInt8](repeating: 0, count: 50 << 20), windowBits: bits)
    var out = ByteBuffer()
    bomb.withUnsafeBytes { bomb in
        _ = #expect(throws: InflateError.tooLarge) {
            try Inflater().inflate(bomb, coding, limit: 1 << 20, into: &out)
        }
    }
    #expect(out.capacity <= 4 << 20)
}

@Test func manyMembersCannotGoRoundTheLimit() {
    let member = packed([UInt8](repeating: 0, count: 1000), windowBits: gzip)
    let bomb = [[UInt8]](repeating: member, count: 100).flatMap { $0 }
    #expect(inflated(bomb, .gzip, limit: 99_999) == .failure(.tooLarge))
}

@Test func aPackedBodyIsUnpackedBeforeItIsRead() {
    let body = packed(Array(#"{"source":{"id":"shop"},"events":[{"type":"a"}]}"#.utf8), windowBits: gzip)
    let desk = Desk()
    withBytes("gzip") { coding in
        #expect(desk.track(bytes: body) { $0.contentEncoding = coding }.events.count == 1)
        #expect(
            desk.track(bytes: Array(body.dropLast(3))) { $0.contentEncoding = coding }.code == "bad_encoding")
        #expect(desk.track(bytes: []) { $0.contentEncoding = coding }.status == 400)
        desk.configuration.limits.body = 40
        #expect(desk.track(bytes: body) { $0.contentEncoding = coding }.status == 413)
    }
    withBytes("br") { coding in #expect(desk.track(bytes: []) { $0.contentEncoding = coding }.status == 415) }
}
