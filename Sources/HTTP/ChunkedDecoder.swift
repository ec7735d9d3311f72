internal import Foundations
import Glibc

/// Takes the framing off a chunked body (RFC 9112, 7.1), in place, as its bytes arrive.
///
///     chunk   = 1*16HEXDIG [ ";" extension ] CRLF data CRLF
///     last    = 1*"0" [ ";" extension ] CRLF *( trailer CRLF ) CRLF
///
/// Extensions and trailers are checked for what they may hold, and dropped. Whatever else deviates is refused:
/// two readers of one body must never see different ends of it.
struct ChunkedDecoder {
    private enum Stage: UInt8 {
        case firstDigit, digits, extensions, sizeFeed, data, dataReturn, dataFeed
        case lineStart, name, value, lineFeed, lastFeed
    }

    /// How much framing one body may have besides its sizes: extensions and trailers.
    static let maximumOverhead = 16 << 10

    private var stage = Stage.firstDigit
    private var digits: UInt8 = 0
    private var overhead = 0
    /// What is left of the chunk.
    private var rest = 0

    /// Reads `input` from `raw` on and moves the data to `end`; both are advanced. True when the body is whole.
    mutating func decode(
        _ input: UnsafeMutableRawBufferPointer, from raw: inout Int, to end: inout Int, limit: Int
    ) throws(Refusal) -> Bool {
        let start = end - decoded
        while raw < input.count {
            if stage == .data {
                move(input, &raw, &end)
                continue
            }
            let byte = input[raw]
            raw += 1
            if stage == .lastFeed {
                guard byte == 10 else { throw .badTrailer }
                return true
            }
            if stage.rawValue < Stage.data.rawValue {
                try readSize(byte, room: limit - (end - start))
            } else {
                try readRest(byte)
            }
        }
        return false
    }

    /// How much data there was so far.
    private(set) var decoded = 0

    private mutating func move(_ input: UnsafeMutableRawBufferPointer, _ raw: inout Int, _ end: inout Int) {
        let count = min(rest, input.count - raw)
        if raw != end, let base = input.baseAddress { memmove(base + end, base + raw, count) }
        raw += count
        end += count
        decoded += count
        rest -= count
        if rest == 0 { stage = .dataReturn }
    }

    private mutating func readSize(_ byte: UInt8, room: Int) throws(Refusal) {
        switch stage {
        case .firstDigit, .digits:
            if let digit = Self.hexadecimal(byte) {
                guard digits < 15 else { throw .badChunk }
                digits += 1
                rest = rest << 4 | digit
                stage = .digits
            } else if stage == .digits, byte == 59 {
                stage = .extensions
            } else if stage == .digits, byte == 13 {
                stage = .sizeFeed
            } else {
                throw .badChunk
            }
            // Said as soon as it is known, not when the bytes have come.
            if rest > room { throw .bodyTooLarge }
        case .extensions:
            if byte == 13 {
                stage = .sizeFeed
            } else {
                guard byte >= 32 && byte != 127 || byte == 9 else { throw .badChunk }
                try count(else: .badChunk)
            }
        default:
            guard byte == 10 else { throw .badChunk }
            stage = rest == 0 ? .lineStart : .data
        }
    }

    private mutating func readRest(_ byte: UInt8) throws(Refusal) {
        switch stage {
        case .dataReturn:
            guard byte == 13 else { throw .badChunk }
            stage = .dataFeed
        case .dataFeed:
            guard byte == 10 else { throw .badChunk }
            digits = 0
            stage = .firstDigit
        case .lineStart:
            if byte == 13 {
                stage = .lastFeed
            } else {
                guard Grammar.isTokenByte(byte) else { throw .badTrailer }
                try count(else: .headTooLarge)
                stage = .name
            }
        case .name:
            try count(else: .headTooLarge)
            if byte == 58 { stage = .value } else if !Grammar.isTokenByte(byte) { throw .badTrailer }
        case .value:
            try count(else: .headTooLarge)
            if byte == 13 {
                stage = .lineFeed
            } else {
                guard byte >= 32 && byte != 127 || byte == 9 else { throw .badTrailer }
            }
        default:
            guard byte == 10 else { throw .badTrailer }
            stage = .lineStart
        }
    }

    private mutating func count(else refusal: Refusal) throws(Refusal) {
        overhead += 1
        guard overhead <= Self.maximumOverhead else { throw refusal }
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: Int(byte) - 48
        case 65...70: Int(byte) - 55
        case 97...102: Int(byte) - 87
        default: nil
        }
    }
}
