import CZlib

package enum Wrapping: Int32, Sendable {
    case gzip = 31
    case zlib = 15
    case raw = -15
}

/// Deflates `bytes`, for requests with a `Content-Encoding`.
package func deflated(_ bytes: [UInt8], _ wrapping: Wrapping, level: Int32 = 6) throws -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    let made = deflateInit2_(
        &stream, level, Z_DEFLATED, wrapping.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    guard made == Z_OK else { throw Failure("deflateInit2: \(made)") }
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
    let code = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            return deflate(&stream, Z_FINISH)
        }
    }
    guard code == Z_STREAM_END else { throw Failure("deflate: \(code)") }
    return Array(output.prefix(Int(stream.total_out)))
}
