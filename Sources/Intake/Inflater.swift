private import CZlib
import Foundations

/// Why a compressed body was not taken.
enum InflateError: Error {
    /// Not what its `Content-Encoding` says, or cut off.
    case malformed
    /// It would inflate to more than the limit.
    case tooLarge
}

/// Inflates bodies; one for each lane, and its window is reused.
///
/// It stops at the limit while it inflates, so a bomb costs no more than the largest honest body.
final class Inflater {
    enum Coding {
        /// RFC 1952; several members may follow one another.
        case gzip
        /// RFC 9110 means zlib's format (RFC 1950), but many clients send the bare stream (RFC 1951): both are taken.
        case deflate
    }

    private var stream = z_stream()
    private var ready = false

    deinit { if ready { inflateEnd(&stream) } }

    /// Appends the inflated body to `out`; `limit` counts only what is appended.
    func inflate(
        _ body: Bytes, _ coding: Coding, limit: Int, into out: inout ByteBuffer
    ) throws(InflateError) {
        let most = out.count + limit
        var rest = body
        repeat {
            let used = try member(rest, coding, most: most, into: &out)
            rest = rest.slice(used..<rest.count)
        } while coding == .gzip && !rest.isEmpty
        if !rest.isEmpty { throw .malformed }
    }

    /// Inflates one member; how many bytes of `input` it took.
    private func member(
        _ input: Bytes, _ coding: Coding, most: Int, into out: inout ByteBuffer
    ) throws(InflateError) -> Int {
        try reset(windowBits: Self.windowBits(input, coding))
        stream.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self))
        stream.avail_in = UInt32(clamping: input.count)
        while true {
            // One byte above the limit, so that a body of exactly the limit is told from a larger one.
            let room = min(
                max(stream.avail_in > 0 ? Int(stream.avail_in) * 4 : 1024, 1024), most + 1 - out.count)
            let space = out.space(room)
            stream.next_out = space.baseAddress?.assumingMemoryBound(to: Bytef.self)
            stream.avail_out = UInt32(clamping: min(room, space.count))
            let given = Int(stream.avail_out)
            let code = CZlib.inflate(&stream, Z_NO_FLUSH)
            out.filled(given - Int(stream.avail_out))
            if out.count > most { throw .tooLarge }
            switch code {
            case Z_STREAM_END: return input.count - Int(stream.avail_in)
            case Z_OK where stream.avail_in > 0 || stream.avail_out == 0: continue
            default: throw .malformed
            }
        }
    }

    private func reset(windowBits: Int32) throws(InflateError) {
        let code = ready ? inflateReset2(&stream, windowBits) : waymark_inflate_init(&stream, windowBits)
        if code != Z_OK { throw .malformed }
        ready = true
    }

    /// 15 is the largest window; 16 more means gzip, a negative number the bare stream.
    private static func windowBits(_ input: Bytes, _ coding: Coding) -> Int32 {
        if coding == .gzip { return 15 + 16 }
        // RFC 1950: method 8, and the first two bytes are a multiple of 31.
        let isWrapped =
            input.count > 1 && input[0] & 0x0f == 8 && (Int(input[0]) << 8 | Int(input[1])) % 31 == 0
        return isWrapped ? 15 : -15
    }
}
