import Foundations
import Payload

/// A source as the hot path needs it: prepared once, shared by all lanes, never changed.
final class SourceEntry: Sendable {
    let id: [UInt8]
    /// Its place in the table.
    let index: Int
    let isWeb: Bool
    let isBackend: Bool
    let isEnabled: Bool
    let key: [UInt8]?
    let quarantinesDenied: Bool
    let returnsProfile: Bool
    let hasStaticProfiles: Bool
    let bucket: TokenBucket?
    /// What stands for it in `RecentIDs`.
    let fingerprint: UInt64
    private let origins: [Pattern]
    private let allow: [Pattern]
    private let deny: [Pattern]

    init(_ source: Source, index: Int, fingerprint: UInt64, bucket: TokenBucket?) {
        id = Array(source.id.utf8)
        self.index = index
        isWeb = source.kinds.contains(.web)
        isBackend = source.kinds.contains(.backend)
        isEnabled = source.enabled
        key = source.key.map { Array($0.utf8) }
        quarantinesDenied = source.denied == .quarantine
        returnsProfile = source.returnsProfile
        hasStaticProfiles = source.staticProfileID
        self.bucket = bucket
        self.fingerprint = fingerprint
        origins = source.origins.map { Pattern($0.lowercased()) }
        allow = source.allow.map(Pattern.init(activity:))
        deny = source.deny.map(Pattern.init(activity:))
    }

    /// May pages of this origin send? A request without an origin does not come from a page, and may.
    func allows(origin: Bytes?) -> Bool {
        guard let origin else { return true }
        return CrossOrigin.isOrigin(origin) && (origins.isEmpty || origins.matches(origin))
    }

    /// May this activity be sent? What is denied is denied, whatever is allowed.
    func allows(activity key: Bytes) -> Bool {
        if !deny.isEmpty, deny.matches(key) { return false }
        return allow.isEmpty || allow.matches(key)
    }

    /// Why this activity may not be sent, for the quarantine.
    func denial(of activity: Bytes) -> QuarantineDetail {
        let name = activity.text
        if deny.matches(activity) {
            let by = deny.first { $0.matches(activity) }?.name ?? ""
            return QuarantineDetail(
                code: "denied", expected: "an activity that the source does not deny", found: name,
                message: "the source denies \(name) by its pattern \(by)")
        }
        let names = allow.prefix(50).map(\.name).filter { !$0.utf8.contains(UInt8(ascii: "*")) }
        return QuarantineDetail(
            code: "not_allowed", expected: "an activity that the source allows", found: name,
            nearest: nearest(to: name, among: names))
    }
}

/// Who may send, found by id without making a `String`.
final class SourceTable: Sendable {
    private let hash: SipHash
    private let entries: [SourceEntry]
    /// Open addressing: numbers of entries, −1 for none.
    private let slots: [Int32]

    /// `before`: the table that this one replaces; a bucket whose rate stays goes on where it was.
    init(_ sources: [Source], recent: RecentIDs, before: SourceTable? = nil) {
        entries = sources.enumerated().map { index, source in
            var id = source.id
            let bytes = id.withUTF8 { (recent.fingerprint(of: Bytes($0)), before?.find(Bytes($0))) }
            let rate = source.rate.map(CellRate.init)
            let kept = bytes.1?.bucket.flatMap { $0.rate == rate ? $0 : nil }
            return SourceEntry(
                source, index: index, fingerprint: bytes.0, bucket: kept ?? rate.map(TokenBucket.init))
        }
        let hash = SipHash()
        self.hash = hash
        var size = 8
        while size < sources.count * 2 { size *= 2 }
        var slots = [Int32](repeating: -1, count: size)
        for entry in entries {
            var at = Int(truncatingIfNeeded: entry.id.withUnsafeBytes { hash.hash($0) }) & (size - 1)
            while slots[at] >= 0 { at = (at + 1) & (size - 1) }
            slots[at] = Int32(entry.index)
        }
        self.slots = slots
    }

    var count: Int { entries.count }
    /// The ids.
    var names: [String] { entries.map { String(decoding: $0.id, as: UTF8.self) } }
    subscript(index: Int) -> SourceEntry { entries[index] }

    func find(_ id: Bytes) -> SourceEntry? {
        var at = Int(truncatingIfNeeded: hash.hash(id)) & (slots.count - 1)
        while slots[at] >= 0 {
            let entry = entries[Int(slots[at])]
            if entry.id.withUnsafeBytes({ $0.equals(id) }) { return entry }
            at = (at + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Is there an enabled web source whose pages may have this origin? Asked where the source is not known
    /// (a preflight of `/track`, a body that cannot be read), so that a page can read the answer.
    func someWebSourceAllows(origin: Bytes) -> Bool {
        for entry in entries where entry.isWeb && entry.isEnabled && entry.allows(origin: origin) {
            return true
        }
        return false
    }
}
