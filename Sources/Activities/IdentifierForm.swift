import Foundations

/// Tells keys that are ids from keys that are names, by their form alone: an object with such keys is a map, and its
/// members are one parameter, `prices.{*}`.
///
/// An id is what consists of digits and punctuation (`4711`, `2026-01-31`, `10:30`), a uuid, at least eight
/// hexadecimal digits with a digit among them, something that ends in a separator and three digits or has five in a
/// row (`sku-1029`, `SKU10294`), a text that looks drawn at random, and what is personal: that must not become a
/// name.
enum IdentifierForm {
    static func isID(_ name: Bytes) -> Bool {
        var (digits, letters, others, run, longestRun) = (0, 0, 0, 0, 0)
        var isHexadecimal = true
        for byte in name {
            if byte &- 48 < 10 {
                digits += 1
                run += 1
                longestRun = max(longestRun, run)
                continue
            }
            run = 0
            if (byte | 32) &- 97 < 26 || byte >= 0x80 {
                letters += 1
                if byte | 32 > UInt8(ascii: "f") { isHexadecimal = false }
            } else {
                others += 1
                isHexadecimal = false
            }
        }
        if digits == 0 { return name.count >= 5 && isPersonal(name) }
        if letters == 0 || longestRun >= 5 { return true }
        if isHexadecimal, name.count >= 8 { return true }
        if run >= 3, isSeparator(name, before: run) { return true }
        if name.count == 36, UUID(name) != nil { return true }
        return name.count >= 5 && isPersonal(name)
            || name.count >= 14 && SecretText.isRandom(name) && others == 0
    }

    private static func isSeparator(_ name: Bytes, before digits: Int) -> Bool {
        let at = name.count - digits - 1
        guard at >= 0 else { return false }
        return !TextForm.isLetterOrDigit(name[at])
    }

    private static func isPersonal(_ name: Bytes) -> Bool {
        !PersonalData.kinds(in: name).isEmpty
    }
}
