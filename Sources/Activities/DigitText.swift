import Foundations

/// Groups of digits in texts: card numbers and telephone numbers.
enum DigitText {
    // MARK: - Cards

    /// A card number anywhere: 13 to 19 digits in groups, with a space, hyphen, dot or slash or two between them.
    static func hasCard(_ text: Bytes) -> Bool {
        var at = 0
        while at < text.count {
            guard text[at] &- 48 < 10 else {
                at += 1
                continue
            }
            // Every group may be the first one.
            if hasCard(text, from: at) { return true }
            while at < text.count, text[at] &- 48 < 10 { at += 1 }
        }
        return false
    }

    private static func hasCard(_ text: Bytes, from start: Int) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (at, count) = (start, 0)
            let found = { isCard(UnsafeBufferPointer(rebasing: digits[..<count])) }
            while at < text.count, count < 20 {
                if text[at] &- 48 < 10 {
                    digits[count] = text[at] - 48
                    count += 1
                    at += 1
                    continue
                }
                if count >= 13, found() { return true }
                let gap = at
                while at < text.count, at - gap < 3, isGap(text[at]) { at += 1 }
                guard at > gap, at < text.count, text[at] &- 48 < 10 else { return false }
            }
            return count < 20 && found()
        }
    }

    private static func isGap(_ byte: UInt8) -> Bool {
        byte == 32 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
    }

    /// A known issuer's beginning and length (ISO/IEC 7812), and the check digit of Luhn.
    static func isCard(_ digits: UnsafeBufferPointer<UInt8>) -> Bool {
        guard digits.count >= 13, digits.count <= 19 else { return false }
        let prefix = (0..<4).reduce(0) { $0 * 10 + Int(digits[$1]) }
        let isKnown =
            switch prefix {
            case 4000...4999: digits.count == 13 || digits.count == 16 || digits.count == 19
            case 5100...5599, 2221...2720, 2200...2204: digits.count == 16
            case 3400...3499, 3700...3799: digits.count == 15
            case 3000...3059, 3095, 3600...3699, 3800...3999: digits.count == 14 || digits.count == 16
            case 3528...3589, 6011, 6440...6599, 6200...6299, 8100...8171: digits.count >= 16
            case 5000...5099, 5600...5899, 6000...6999: digits.count >= 16
            default: false
            }
        return isKnown && passesLuhn(digits)
    }

    private static func passesLuhn(_ digits: UnsafeBufferPointer<UInt8>) -> Bool {
        var sum = 0
        for i in 0..<digits.count {
            let digit = Int(digits[digits.count - 1 - i])
            let doubled = i % 2 == 0 ? digit : 2 * digit
            sum += doubled > 9 ? doubled - 9 : doubled
        }
        return sum % 10 == 0
    }

    // MARK: - Telephone numbers

    private static func isPhonePart(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || byte == 32
            || byte &- 40 < 8 && byte != UInt8(ascii: "*") && byte != UInt8(ascii: ",")
    }

    /// An international one anywhere: `call +49 171 1234567`, `tel:+491711234567`.
    static func hasPhone(_ text: Bytes) -> Bool {
        for i in 0..<max(text.count - 8, 0) where text[i] == UInt8(ascii: "+") {
            guard i == 0 || !TextForm.isLetterOrDigit(text[i - 1]), text[i + 1] &- 49 < 9 else { continue }
            var (digits, gap) = (0, 0)
            for byte in text.slice(i + 1..<text.count) {
                guard isPhonePart(byte), byte != UInt8(ascii: "+") else { break }
                if byte &- 48 < 10 { (digits, gap) = (digits + 1, 0) } else { gap += 1 }
                if gap > 2 { break }
            }
            if digits >= 8, digits <= 15 { return true }
        }
        return false
    }

    /// The whole text is one: `+49 171 1234567`, `0049…`, `(555) 123-4567`, `555-123-4567`, `0171/1234567`,
    /// `06 12 34 56 78`, `01711234567`.
    static func isPhone(_ text: Bytes) -> Bool {
        let text = text.trimmed
        guard text.count >= 7, text.count <= 32, text[0] < 58 else { return false }
        for byte in text where !isPhonePart(byte) { return false }
        var groups: [Int] = [0]
        var digits = 0
        var opens = false
        for (i, byte) in text.enumerated() {
            switch byte {
            case 48...57:
                groups[groups.count - 1] += 1
                digits += 1
            case UInt8(ascii: "+"): guard i == 0 else { return false }
            case UInt8(ascii: "("), UInt8(ascii: ")"):
                opens = true
                groups.append(0)
            case 32, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"): groups.append(0)
            default: return false
            }
        }
        groups.removeAll { $0 == 0 }
        guard digits >= 7, digits <= 15 else { return false }
        if text[0] == UInt8(ascii: "+") { return digits >= 8 }
        if opens { return digits >= 9 }
        if groups == [3, 3, 4] || groups == [1, 3, 3, 4] { return true }
        guard text[0] == 48, digits >= 9 else { return false }
        // National numbers begin with one zero, international ones with two; dates and amounts do not look so.
        if groups.count == 1 { return text[1] == 48 || digits == 10 || digits == 11 }
        return groups[0] >= 3 || groups == [2, 2, 2, 2, 2]
    }
}
