import Foundations

/// Telephone numbers as E.164 has them: `+` and 7 to 15 digits, the country's code first.
///
/// A number that says its country (`+91 98200 12345`, `0091 …`) needs no other knowledge. One that does not gets the
/// code of the country that the configuration names; without one it is kept as its digits alone, which another
/// country's subscriber may have as well.
package enum PhoneNumber {
    /// Nil: it is no telephone number.
    package static func normalize(_ text: String, country name: String?) -> String? {
        guard let written = Written(text) else { return nil }
        let plan = name.flatMap { NumberingPlan.of($0) }
        if written.hasPlus { return international(written.digits) }
        if let exit = exitCode(of: written.digits, plan) {
            return international(written.digits.dropFirst(exit))
        }
        guard let plan else { return (4...15).contains(written.digits.count) ? String(written.digits) : nil }
        return plan.international(written.digits)
    }

    /// Digits, and whether a plus sign stood before them.
    private struct Written {
        var digits: Substring
        var hasPlus = false

        init?(_ text: String) {
            var digits = ""
            for scalar in text.unicodeScalars {
                if let digit = scalar.properties.numericType == .decimal
                    ? scalar.properties.numericValue : nil
                {
                    digits.append(String(Int(digit)))
                } else if scalar == "+" || scalar == "\u{ff0b}" {
                    guard digits.isEmpty, !hasPlus else { return nil }
                    hasPlus = true
                } else if !Self.isSeparator(scalar) {
                    return nil
                }
            }
            // +44 (0)20 …: the trunk prefix in brackets is not dialled from abroad.
            if hasPlus, let bracket = text.range(ofASCII: "(0)") {
                let before = text[..<bracket.lowerBound].unicodeScalars.filter {
                    $0.properties.numericType == .decimal
                }
                let at = digits.index(digits.startIndex, offsetBy: before.count)
                digits.remove(at: at)
            }
            guard !digits.isEmpty else { return nil }
            self.digits = digits[...]
        }

        /// Spaces, dashes, dots, slashes and brackets of any script.
        private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .spaceSeparator, .dashPunctuation, .openPunctuation, .closePunctuation, .format: true
            default: scalar == "." || scalar == "/" || scalar == "\u{2212}"
            }
        }
    }

    /// How many digits are dialled before a country's code.
    private static func exitCode(of digits: Substring, _ plan: NumberingPlan?) -> Int? {
        if plan?.code == "1", digits.hasPrefix("011") { return 3 }
        return digits.hasPrefix("00") ? 2 : nil
    }

    /// No country's code begins with a zero.
    private static func international(_ digits: Substring) -> String? {
        (7...15).contains(digits.count) && digits.first != "0" ? "+" + digits : nil
    }
}

extension String {
    fileprivate func range(ofASCII wanted: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(wanted) { return at..<index(at, offsetBy: wanted.count) }
            at = index(after: at)
        }
        return nil
    }
}
