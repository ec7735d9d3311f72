import Foundations

/// Finds personal values in texts and numbers: by their form and their check digits, wherever they stand in a text.
///
/// What is found is never kept. Where a form leaves doubt, it is taken for personal: samples are lost then, no events.
enum PersonalData {
    /// A text longer than this is looked at up to here.
    private static let longest = 1 << 16

    /// What a look at each byte tells.
    struct Look {
        var digits = 0
        var longestRun = 0
        var characters = 0
        var mayHaveAddress = false

        init(_ text: Bytes) {
            var (run, continuations) = (0, 0)
            var all: UInt8 = 0
            for byte in text {
                let bits = ByteClass.table[Int(byte)]
                digits &+= Int(bits & ByteClass.digit)
                continuations &+= Int(bits >> 3)
                all |= bits
                run = bits & ByteClass.part != 0 ? run &+ 1 : 0
                if run > longestRun { longestRun = run }
            }
            characters = text.count - continuations
            mayHaveAddress = all & ByteClass.address != 0
        }
    }

    static func kinds(in text: Bytes) -> PersonalKinds { kinds(in: text, Look(text)) }

    @inline(__always) static func kinds(in text: Bytes, _ look: Look) -> PersonalKinds {
        // Most texts: too short for anything.
        guard look.digits >= 7 || look.mayHaveAddress || look.longestRun >= 8 else { return [] }
        return closely(text.count > longest ? text.slice(0..<longest) : text, look)
    }

    private static func closely(_ text: Bytes, _ look: Look) -> PersonalKinds {
        var found: PersonalKinds = []
        if look.mayHaveAddress, hasAddress(text) { found.insert(.email) }
        if look.digits >= 7 {
            let numbers = PlainText.of(text)?.withUnsafeBytes { numbered($0, look) }
            found.formUnion(numbers ?? numbered(text, look))
        }
        if look.longestRun >= 8, SecretText.isSecret(text, longestRun: look.longestRun) {
            found.insert(.token)
        }
        if SecretText.hasPassword(text, mayHaveAddress: look.mayHaveAddress) { found.insert(.token) }
        return found
    }

    private static func numbered(_ text: Bytes, _ look: Look) -> PersonalKinds {
        var found: PersonalKinds = []
        if DigitText.isPhone(text) || DigitText.hasPhone(text) { found.insert(.phone) }
        if look.digits >= 13, DigitText.hasCard(text) { found.insert(.card) }
        if look.digits >= 9, hasIBAN(text) { found.insert(.iban) }
        return found
    }

    /// A whole number may be a card's.
    static func kinds(of number: Numeral) -> PersonalKinds {
        // A card has 19 digits at most: what has more is none, and might be too large to be multiplied.
        let most = 10_000_000_000_000_000_000 as UInt128
        var value = number.mantissa.magnitude
        guard number.exponent >= 0, number.exponent < 19, value < most else { return [] }
        for _ in 0..<number.exponent { value *= 10 }
        guard value >= 1_000_000_000_000, value < most else { return [] }
        var digits: [UInt8] = []
        while value > 0 {
            digits.append(UInt8(value % 10))
            value /= 10
        }
        return Array(digits.reversed()).withUnsafeBufferPointer { DigitText.isCard($0) } ? .card : []
    }

    // MARK: - E-mail

    private static func hasAddress(_ text: Bytes) -> Bool {
        for i in 1..<max(text.count, 1) {
            if text[i] == UInt8(ascii: "@"), TextForm.address(in: text, around: i) != nil { return true }
            // In the query of a URL.
            guard text[i] == UInt8(ascii: "%"), i + 3 < text.count else { continue }
            guard text[i + 1] == UInt8(ascii: "4"), text[i + 2] == UInt8(ascii: "0") else { continue }
            if TextForm.isLetterOrDigit(text[i - 1]), TextForm.domain(in: text, from: i + 3) != nil {
                return true
            }
        }
        return false
    }

    // MARK: - IBAN (ISO 13616)

    /// Countries and the lengths of their numbers.
    private static let lengths: StaticString = """
        AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27\
        GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22\
        MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28\
        TL23TN24TR26UA29VA22VG24XK20YE30
        """

    private static func hasIBAN(_ text: Bytes) -> Bool {
        for i in 0..<max(text.count - 14, 0) where text[i] >= 65 {
            guard i == 0 || !TextForm.isLetterOrDigit(text[i - 1]) else { continue }
            guard text[i + 2] &- 48 < 10, text[i + 3] &- 48 < 10, let length = length(text[i], text[i + 1])
            else {
                continue
            }
            if isIBAN(text, at: i, length: length) { return true }
        }
        return false
    }

    private static func length(_ a: UInt8, _ b: UInt8) -> Int? {
        guard (a | 32) &- 97 < 26, (b | 32) &- 97 < 26 else { return nil }
        let table = Bytes(start: lengths.utf8Start, count: lengths.utf8CodeUnitCount)
        for i in stride(from: 0, to: table.count - 3, by: 4)
        where table[i] == a & ~32 && table[i + 1] == b & ~32 {
            return Int(table[i + 2] - 48) * 10 + Int(table[i + 3] - 48)
        }
        return nil
    }

    /// So many letters and digits, perhaps in groups; the first four moved to the end, 1 remains modulo 97.
    private static func isIBAN(_ text: Bytes, at start: Int, length: Int) -> Bool {
        var characters: [UInt8] = []
        var at = start
        while at < text.count, characters.count < length {
            let byte = text[at]
            if byte &- 48 < 10 {
                characters.append(byte - 48)
            } else if (byte | 32) &- 97 < 26 {
                characters.append((byte | 32) - 87)
            } else if byte != 32 && byte != UInt8(ascii: "-") {
                return false
            }
            at += 1
        }
        guard characters.count == length, at == text.count || !TextForm.isLetterOrDigit(text[at]) else {
            return false
        }
        let remainder = (characters[4...] + characters[..<4]).reduce(0) { remainder, character in
            (remainder * (character < 10 ? 10 : 100) + Int(character)) % 97
        }
        return remainder == 1
    }
}
