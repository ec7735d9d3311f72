import Foundations
import Glibc

/// Looking for words in bytes.
extension UnsafeRawBufferPointer {
    /// Where the word begins.
    func find(_ word: StaticString, from: Int = 0) -> Int? {
        let length = word.utf8CodeUnitCount
        guard let base = baseAddress, length > 0 else { return nil }
        var at = from
        while at + length <= count,
            let found = memchr(base + at, Int32(word.utf8Start[0]), count - at - length + 1)
        {
            at = UnsafeRawPointer(found) - base
            if memcmp(base + at, word.utf8Start, length) == 0 { return at }
            at += 1
        }
        return nil
    }

    func contains(_ word: StaticString) -> Bool { find(word) != nil }

    func contains(any words: [StaticString]) -> Bool { words.contains { contains($0) } }

    /// The number behind the word: major and minor version, without a minor 0.
    func version(after word: StaticString) -> String? {
        guard let found = find(word) else { return nil }
        var at = found + word.utf8CodeUnitCount
        func digits() -> String {
            let start = at
            while at < count, self[at] &- 48 < 10, at - start < 8 { at += 1 }
            return slice(start..<at).text
        }
        let major = digits()
        if major.isEmpty { return nil }
        guard at < count, self[at] == UInt8(ascii: ".") || self[at] == UInt8(ascii: "_") else { return major }
        at += 1
        let minor = digits()
        return minor.isEmpty || minor == "0" ? major : "\(major).\(minor)"
    }
}
