import Glibc

/// A time zone of the system: what the clocks on the wall of a place show, read from its TZif file (RFC 8536).
///
/// The file lists the changes of the past; for what comes after them its footer has a rule (POSIX `TZ`).
package struct Zone: Sendable, Equatable {
    package let name: String
    /// Seconds since 1970 at which another offset begins, ascending.
    private var changes: [Int64] = []
    /// The offset to the east in seconds from the change of the same index on.
    private var offsets: [Int64] = []
    private var first: Int64 = 0
    private var rule: ZoneRule?

    package static let utc = Zone(name: "UTC", fixed: 0)

    package init(name: String, fixed offset: Int64) {
        self.name = name
        first = offset
    }

    /// Nil: there is no such zone on this system.
    package init?(_ name: String, folder: String = "/usr/share/zoneinfo") {
        self.name = name
        if name == "UTC" { return }
        guard Self.isName(name), let bytes = Self.read("\(folder)/\(name)"),
            let body = Self.secondHeader(bytes), parse(bytes, at: body)
        else { return nil }
    }

    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part.first != "."
                && part.utf8.allSatisfy { byte in
                    (97...122).contains(byte | 32) || (48...57).contains(byte) || [43, 45, 95].contains(byte)
                }
        }
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = try? FileDescriptor(open: path, O_RDONLY) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        var count = 0
        while count < bytes.count {
            let more = try? retrying("read", path) {
                bytes.withUnsafeMutableBytes {
                    Glibc.read(file.raw, $0.baseAddress.map { $0 + count }, $0.count - count)
                }
            }
            guard let more else { return nil }
            if more == 0 { break }
            count += more
        }
        return Array(bytes[..<count])
    }

    // MARK: The file: a header and a body in 32 bits, the same again in 64 bits, and a footer

    /// Where the 64-bit header begins; nil for other files and the oldest version.
    private static func secondHeader(_ bytes: [UInt8]) -> Int? {
        guard bytes.count > 44, Array(bytes[..<4]) == Array("TZif".utf8), bytes[4] >= 50 else { return nil }
        let counts = counts(bytes, at: 0)
        let body = counts.times * 5 + counts.types * 6 + counts.letters + counts.leaps * 8 + counts.std
        let at = 44 + body + counts.ut
        return at + 44 <= bytes.count && bytes[at] == UInt8(ascii: "T") ? at : nil
    }

    private struct Counts { var ut, std, leaps, times, types, letters: Int }

    private static func counts(_ bytes: [UInt8], at: Int) -> Counts {
        func number(_ i: Int) -> Int { Int(integer(bytes, at + 20 + 4 * i, 4)) }
        return Counts(
            ut: number(0), std: number(1), leaps: number(2), times: number(3), types: number(4),
            letters: number(5))
    }

    private static func integer(_ bytes: [UInt8], _ at: Int, _ size: Int) -> Int64 {
        var value: UInt64 = 0
        for i in at..<at + size { value = value << 8 | UInt64(bytes[i]) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    private mutating func parse(_ bytes: [UInt8], at header: Int) -> Bool {
        let counts = Self.counts(bytes, at: header)
        let times = header + 44
        let kinds = times + counts.times * 8
        let types = kinds + counts.times
        let end = types + counts.types * 6 + counts.letters + counts.leaps * 12 + counts.std + counts.ut
        guard counts.types > 0, end <= bytes.count else { return false }
        func offset(_ type: Int) -> Int64 { Self.integer(bytes, types + 6 * min(type, counts.types - 1), 4) }
        first = offset(0)
        for i in 0..<counts.times {
            changes.append(Self.integer(bytes, times + 8 * i, 8))
            offsets.append(offset(Int(bytes[kinds + i])))
        }
        let footer = bytes[end...].drop { $0 == 10 }.prefix { $0 != 10 }
        rule = ZoneRule(String(decoding: footer, as: UTF8.self))
        return true
    }

    // MARK: Asking

    /// Seconds to the east of Greenwich at that moment.
    package func offset(at time: Timestamp) -> Int64 {
        let seconds = time.seconds
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == changes.count, let rule { return rule.offset(at: seconds) }
        return low == 0 ? first : offsets[low - 1]
    }

    /// What the clocks of the zone show.
    package func local(_ time: Timestamp) -> LocalTime {
        LocalTime(microseconds: time.microseconds + offset(at: time) * 1_000_000)
    }

    /// The moment at which the clocks show that; where they jump over it, the moment of the jump; where they show it
    /// twice, the first time.
    package func moment(_ local: LocalTime) -> Timestamp { moments(local)[0] }

    /// All moments at which the clocks show that, one or two; where they jump over it, the moment of the jump.
    package func moments(_ local: LocalTime) -> [Timestamp] {
        let guess = Timestamp(microseconds: local.microseconds)
        let day: Int64 = 86_400_000_000
        let earlier = offset(at: guess.adding(microseconds: -day))
        let later = offset(at: guess.adding(microseconds: day))
        func moment(_ offset: Int64) -> Timestamp {
            Timestamp(microseconds: local.microseconds - offset * 1_000_000)
        }
        let (large, small) = (max(earlier, later), min(earlier, later))
        let shown = (large == small ? [large] : [large, small]).filter { offset(at: moment($0)) == $0 }
        if !shown.isEmpty { return shown.map(moment) }
        // The old offset still holds at the first of the two, the new one does at the second.
        var (before, after) = (moment(large).seconds, moment(small).seconds)
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if offset(at: Timestamp(seconds: middle)) == later { after = middle } else { before = middle }
        }
        return [Timestamp(seconds: after)]
    }
}

/// A date and a time of day without a zone, in microseconds since 1970-01-01 00:00 on the same clocks.
package struct LocalTime: Sendable, Equatable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(_ date: CivilDate, secondOfDay: Int64) {
        microseconds = (Int64(date.daysSince1970) * 86_400 + secondOfDay) * 1_000_000
    }

    package var day: Int64 { Timestamp(microseconds: microseconds).day }
    package var date: CivilDate { CivilDate(daysSince1970: Int(day)) }
    package var secondOfDay: Int64 { Timestamp(microseconds: microseconds).seconds - day * 86_400 }
    package var hour: Int { Int(secondOfDay / 3600) }
    /// 0 is Monday.
    package var weekday: Int { Int(((day + 3) % 7 + 7) % 7) }
}
