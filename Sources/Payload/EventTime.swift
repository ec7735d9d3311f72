import Foundations

/// Reads the moment that a client gives for an event.
///
/// - ISO 8601 and RFC 3339: `2026-01-02T03:04:05.678Z`, with `T` or a space, `Z`, `+hh:mm`, `+hhmm`, `+hh`
///   or no offset (UTC), without seconds, or as a date alone (midnight); also the basic form
///   `20260102T030405Z` and JavaScript's six-digit years. `24:00:00` and the leap second `:60` are the
///   moment that follows.
/// - Seconds, milliseconds, microseconds or nanoseconds since 1970, as a number or as a string of digits,
///   with or without a fraction. The size tells which: up to 11 digits before the point are seconds (until
///   the year 5138), up to 14 milliseconds, up to 17 microseconds, up to 20 nanoseconds.
///
/// What is finer than a microsecond is cut off towards the past. Everything else is nil.
package enum EventTime {
    /// No time has more characters.
    private static let longest = 64

    /// A string, a number, or an object whose `create` is one of them.
    package static func parse(_ node: JSONNode) -> Timestamp? {
        switch node.kind {
        case .number: return epoch(node.bytes)
        case .string: return node.hasEscapes ? parse(escaped: node) : parse(node.contents)
        case .object:
            guard let create = node.member("create"), create.kind != .object else { return nil }
            return parse(create)
        default: return nil
        }
    }

    /// A text in one of the forms; white space around it does not matter.
    package static func parse(_ text: Bytes) -> Timestamp? {
        let text = text.trimmed
        guard text.count <= longest else { return nil }
        var reader = TimeReader(text)
        return reader.moment() ?? epoch(text)
    }

    /// Some libraries write a plus sign as `\u002B`.
    private static func parse(escaped node: JSONNode) -> Timestamp? {
        withUnsafeTemporaryAllocation(byteCount: longest, alignment: 1) { room in
            var count = 0
            var characters = JSONCharacters(node.contents)
            while let piece = characters.next() {
                switch piece {
                case .run(let run):
                    guard run.count <= longest - count else { return nil }
                    UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: run)
                    count += run.count
                case .character(let scalar):
                    guard scalar.isASCII, count < longest else { return nil }
                    room[count] = UInt8(truncatingIfNeeded: scalar.value)
                    count += 1
                }
            }
            return parse(Bytes(room).slice(0..<count))
        }
    }

    /// A decimal number as seconds, milliseconds, microseconds or nanoseconds.
    private static func epoch(_ text: Bytes) -> Timestamp? {
        guard let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count > 0 else {
            return nil
        }
        let piece = JSONNumber.scan(start, start + text.count)
        guard piece.isWhole, piece.at == start + text.count else { return nil }
        let number = JSONNumber(text)
        guard !number.isZero else { return Timestamp(microseconds: 0) }
        let digits = number.whole.count + number.fraction.count
        var first = 0
        while number.digit(first) == 0 { first += 1 }
        let beforePoint = number.whole.count + number.exponent - first
        let taken: Int
        switch beforePoint {
        case ...11: taken = beforePoint + 6
        case 12...14: taken = beforePoint + 3
        case 15...17: taken = beforePoint
        case 18...20: taken = beforePoint - 3
        default: return nil
        }
        var value: Int64 = 0
        for i in 0..<max(taken, 0) {
            value = value * 10 + (first + i < digits ? Int64(number.digit(first + i)) : 0)
        }
        guard number.isNegative else { return Timestamp(microseconds: value) }
        let isExact = !(first + max(taken, 0)..<max(digits, first + max(taken, 0))).contains {
            number.digit($0) != 0
        }
        return Timestamp(microseconds: isExact ? -value : -value - 1)
    }
}
