import Foundations

/// Sizes, durations and rates as people write them.
package enum Quantity {
    /// In bytes: `4MiB` (1024), `4MB` (1000), or plain bytes.
    package static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text) else { return nil }
        let units: [String: Int] = [
            "": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
            "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
        ]
        return units[unit.lowercased()].flatMap { product(number, $0) }
    }

    /// In microseconds: `ms s m h d w`, joined from the large to the small: `2h10m`. `1d` is 24 h.
    package static func duration(_ text: String) -> Int64? {
        var rest = text[...]
        var total = 0
        var last = Int.max
        while !rest.isEmpty {
            let end = rest.firstIndex { !$0.isASCII || !$0.isNumber } ?? rest.endIndex
            let after = rest[end...].firstIndex { $0.isASCII && $0.isNumber } ?? rest.endIndex
            guard let number = Int(rest[..<end]), let unit = microseconds(of: rest[end..<after]), unit < last,
                let part = product(number, unit)
            else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow { return nil }
            (total, last, rest) = (sum, unit, rest[after...])
        }
        return last == .max ? nil : Int64(total)
    }

    /// `100/s`, `6000/m`, `50/10s`.
    package static func rate(_ text: String) -> Rate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let (number, unit) = split(String(parts[0])), unit.isEmpty, number > 0
        else { return nil }
        let period = microseconds(of: parts[1]).map(Int64.init) ?? duration(String(parts[1]))
        guard let period, period > 0 else { return nil }
        return Rate(count: number, microseconds: period)
    }

    private static func microseconds(of unit: Substring) -> Int? {
        switch unit {
        case "ms": 1_000
        case "s": 1_000_000
        case "m": 60_000_000
        case "h": 3_600_000_000
        case "d": 86_400_000_000
        case "w": 604_800_000_000
        default: nil
        }
    }

    /// Digits, perhaps a space, and the rest.
    private static func split(_ text: String) -> (number: Int, unit: String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let unit = text.dropFirst(digits.count)
        return (number, String(unit.first == " " ? unit.dropFirst() : unit))
    }

    private static func product(_ a: Int, _ b: Int) -> Int? {
        let (result, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? nil : result
    }
}

extension Section {
    /// A size within bounds; the bounds are named in the mistake.
    package func size(_ key: String, in range: ClosedRange<Int>) -> Int? {
        text(key) { text throws(Refusal) in
            guard let size = Quantity.size(text) else {
                throw Refusal("is not a size", expected: "a size such as 4MiB, 64KiB or 4000000 (bytes)")
            }
            guard range.contains(size) else {
                throw outOfRange(range.lowerBound.sizeText, range.upperBound.sizeText)
            }
            return size
        }
    }

    /// A duration within bounds, all in microseconds.
    package func duration(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        text(key) { text throws(Refusal) in
            guard let duration = Quantity.duration(text) else {
                throw Refusal("is not a duration", expected: "a duration such as 500ms, 10s or 2h10m")
            }
            guard range.contains(duration) else {
                throw outOfRange(range.lowerBound.durationText, range.upperBound.durationText)
            }
            return duration
        }
    }

    package func rate(_ key: String) -> Rate? {
        text(key) { text throws(Refusal) in
            if let rate = Quantity.rate(text) { return rate }
            throw Refusal("is not a rate", expected: "so many in so long, such as 100/s or 6000/m")
        }
    }

    private func outOfRange(_ low: String, _ high: String) -> Refusal {
        Refusal("is out of range", expected: "\(low) to \(high)")
    }
}

extension Int {
    /// `4MiB`, as `Quantity.size` reads it.
    package var sizeText: String {
        for (unit, power) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where self >= 1 << power && self % (1 << power) == 0 { return "\(self >> power)\(unit)" }
        return "\(self)"
    }
}

extension Int64 {
    /// `2h10m`, as `Quantity.duration` reads it; whole milliseconds.
    package var durationText: String {
        var rest = self
        var text = ""
        let units: [(String, Int64)] = [
            ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
        ]
        for (unit, length) in units where rest >= length {
            text += "\(rest / length)\(unit)"
            rest %= length
        }
        return text.isEmpty ? "0s" : text
    }
}
