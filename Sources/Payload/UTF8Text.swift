import Foundations

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Text {
    /// How many bytes the character that begins here has; 0 if they are not UTF-8.
    @inline(__always) static func length(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
        let left = end - at
        guard left > 0 else { return 0 }
        let lead = at[0]
        if lead < 0x80 { return 1 }
        guard left > 1, lead >= 0xc2 else { return 0 }
        let second = at[1]
        if lead < 0xe0 { return second & 0xc0 == 0x80 ? 2 : 0 }
        guard left > 2, at[2] & 0xc0 == 0x80 else { return 0 }
        if lead < 0xf0 {
            let lowest: UInt8 = lead == 0xe0 ? 0xa0 : 0x80
            let highest: UInt8 = lead == 0xed ? 0x9f : 0xbf
            return second >= lowest && second <= highest ? 3 : 0
        }
        guard left > 3, lead < 0xf5, at[3] & 0xc0 == 0x80 else { return 0 }
        let lowest: UInt8 = lead == 0xf0 ? 0x90 : 0x80
        let highest: UInt8 = lead == 0xf4 ? 0x8f : 0xbf
        return second >= lowest && second <= highest ? 4 : 0
    }

    /// The character that begins here and its length; U+FFFD with the length 1 for what is not UTF-8.
    @inline(__always) static func scalar(
        _ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> (scalar: Unicode.Scalar, length: Int) {
        let length = length(at, end)
        var value: UInt32
        switch length {
        case 1: value = UInt32(at[0])
        case 2: value = UInt32(at[0] & 0x1f)
        case 3: value = UInt32(at[0] & 0x0f)
        case 4: value = UInt32(at[0] & 0x07)
        default: return ("\u{fffd}", 1)
        }
        for i in 1..<max(length, 1) { value = value << 6 | UInt32(at[i] & 0x3f) }
        return (Unicode.Scalar(value) ?? "\u{fffd}", length)
    }

    /// The first byte from which on the bytes are not UTF-8, or their count.
    static func validPrefix(_ bytes: Bytes) -> Int {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        let end = base + bytes.count
        var at = base
        while at < end {
            if end - at >= 8, JSONStrings.load(at) & 0x8080_8080_8080_8080 == 0 {
                at += 8
                continue
            }
            let length = length(at, end)
            guard length > 0 else { break }
            at += length
        }
        return at - base
    }

    /// Appends the bytes, with U+FFFD for NUL and for each byte that is not UTF-8.
    static func appendRepaired(_ bytes: Bytes, to buffer: inout ByteBuffer) -> Repairs {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return [] }
        let end = base + bytes.count
        var repairs: Repairs = []
        var at = base
        while at < end {
            let length = length(at, end)
            if length == 0 || at.pointee == 0 {
                repairs.insert(length == 0 ? .utf8 : .nul)
                buffer.appendReplacement()
                at += 1
            } else {
                buffer.append(Bytes(start: at, count: length))
                at += length
            }
        }
        return repairs
    }
}

extension ByteBuffer {
    /// A character, as UTF-8.
    mutating func append(scalar: Unicode.Scalar) {
        let value = scalar.value
        if value < 0x80 {
            append(UInt8(truncatingIfNeeded: value))
            return
        }
        if value < 0x800 {
            append(UInt8(truncatingIfNeeded: 0xc0 | value >> 6))
        } else {
            if value < 0x10000 {
                append(UInt8(truncatingIfNeeded: 0xe0 | value >> 12))
            } else {
                append(UInt8(truncatingIfNeeded: 0xf0 | value >> 18))
                append(UInt8(truncatingIfNeeded: 0x80 | value >> 12 & 0x3f))
            }
            append(UInt8(truncatingIfNeeded: 0x80 | value >> 6 & 0x3f))
        }
        append(UInt8(truncatingIfNeeded: 0x80 | value & 0x3f))
    }

    /// U+FFFD, which stands for what cannot be kept.
    mutating func appendReplacement() { append("\u{fffd}" as StaticString) }
}
