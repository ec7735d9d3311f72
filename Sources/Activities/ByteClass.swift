/// What a byte can be part of, for a first look at texts that is worth a nanosecond a byte.
enum ByteClass {
    static let digit: UInt8 = 1
    /// `@`, or `%` that may be one in a URL.
    static let address: UInt8 = 2
    /// Of base64url.
    static let part: UInt8 = 4
    /// In UTF-8, not the first byte of a character.
    static let continuation: UInt8 = 8

    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {  // never changed, never freed
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for i in 0..<256 {
            let byte = UInt8(i)
            var bits: UInt8 = 0
            if byte &- 48 < 10 { bits |= digit }
            if byte == UInt8(ascii: "@") || byte == UInt8(ascii: "%") { bits |= address }
            if SecretText.isPart(byte) { bits |= part }
            if byte & 0xc0 == 0x80 { bits |= continuation }
            table[i] = bits
        }
        return UnsafePointer(table)
    }()
}
