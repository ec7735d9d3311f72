import Foundations

/// The function under `ContentHasher`: MurmurHash3's 64-bit step for each word and its finisher. Every step
/// can be undone, so no word is ever swallowed by an unlucky state.
///
/// It must never change: what it yields is compared with what the database keeps.
struct ContentMixer {
    enum Tag: UInt64 {
        case null = 1, `false`, `true`, number, string, array, object, member, event
    }

    private var state: UInt64

    @inline(__always) init(_ tag: Tag) {
        state = tag.rawValue &* 0x9e37_79b9_7f4a_7c15
    }

    @inline(__always) mutating func add(_ word: UInt64) {
        var word = word &* 0x87c3_7b91_1142_53d5
        word = (word << 31 | word >> 33) &* 0x4cf5_ad43_2745_937f
        state ^= word
        state = (state << 27 | state >> 37) &* 5 &+ 0x52dc_e729
    }

    /// The bytes as little-endian words, the last one filled up with zeros, then their number.
    mutating func add(_ bytes: Bytes) {
        var at = 0
        while bytes.count - at >= 8 {
            add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
            at += 8
        }
        var last: UInt64 = 0
        for i in at..<bytes.count { last |= UInt64(bytes[i]) << UInt64(8 * (i - at)) }
        if at < bytes.count { add(last) }
        add(UInt64(bytes.count))
    }

    @inline(__always) func finish() -> UInt64 {
        var hash = state
        hash ^= hash >> 33
        hash = hash &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 33
        hash = hash &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}

extension JSONNumber {
    /// Equal for equal numbers, however they are written: the sign, the digits without zeros at either end,
    /// and the power of ten of the last of them.
    var contentHash: UInt64 {
        var mixer = ContentMixer(.number)
        guard !isZero else { return mixer.finish() }
        let all = whole.count + fraction.count
        var first = 0
        while digit(first) == 0 { first += 1 }
        var last = all - 1
        while digit(last) == 0 { last -= 1 }
        mixer.add(isNegative ? 1 : 0)
        mixer.add(UInt64(bitPattern: Int64(exponent + whole.count - 1 - last)))
        // Eighteen digits fit a word.
        var word: UInt64 = 0
        for i in first...last {
            word = word * 10 + digit(i)
            guard (i - first) % 18 == 17 || i == last else { continue }
            mixer.add(word)
            word = 0
        }
        mixer.add(UInt64(last - first))
        return mixer.finish()
    }

    /// The digits of both parts, counted from the left.
    @inline(__always) func digit(_ i: Int) -> UInt64 {
        UInt64((i < whole.count ? whole[i] : fraction[i - whole.count]) &- 48)
    }
}
