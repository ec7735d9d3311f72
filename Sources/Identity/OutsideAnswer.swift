import Foundations
import Payload

/// What another system answered about an event: who it is about, and what is known of him.
///
///     {"identities": {"email": "ada@example.com", "loyalty_id": 4711}, "traits": {"company": "ACME"}}
///     {"identity": {"kind": "email", "value": "ada@example.com"}, "traits": {…}}
struct OutsideAnswer: Equatable, Sendable {
    var shown: [Sign.Shown] = []
    var changes: [TraitChange] = []

    /// Nobody is known there either.
    static let nobody = OutsideAnswer()

    private init() {}

    /// More than so many traits are not taken from one answer.
    private static let mostTraits = 50

    /// Nil: it is no such answer. Kinds that are not configured, and values that cannot be identities, are left out.
    init?(_ body: [UInt8], _ rules: IdentityRules, country: String?) {
        var shown: [Sign.Shown] = []
        var changes: [TraitChange] = []
        let isAnswer = body.withUnsafeBytes { bytes in
            var document = JSONDocument()
            guard (try? document.parse(bytes)) != nil, document.root.kind == .object else { return false }
            let root = document.root
            for (kind, value) in Self.identities(root) {
                guard let place = rules.kind(named: kind),
                    let text = IdentityForm.normalize(value, rules.kinds[place].form, country: country)
                else { continue }
                shown.append(Sign.Shown(kind: place, value: Array(text.utf8), within: 0, trait: kind))
            }
            guard let traits = root.member("traits") else { return true }
            for (name, value) in traits.members.prefix(Self.mostTraits) {
                let trait = name.text
                if value.isNull || trait.isEmpty || trait == "private" || trait.utf8.count > 128 { continue }
                if trait.contains(".") || value.bytes.count > TraitState.longestValue { continue }
                var json = ByteBuffer(capacity: value.bytes.count)
                value.appendJSON(to: &json)
                changes.append(TraitChange(trait, .set, Array(json.bytes)))
            }
            return true
        }
        guard isAnswer else { return nil }
        (self.shown, self.changes) = (shown, changes)
    }

    private static func identities(_ root: JSONNode) -> [(kind: String, value: String)] {
        var found: [(String, String)] = []
        for (kind, value) in root.member("identities")?.members.map({ ($0.key, $0.value) }) ?? []
        where value.kind == .string || value.kind == .number {
            found.append((kind.text, value.text))
        }
        if let one = root.member("identity"), let kind = one.member("kind"), let value = one.member("value"),
            value.kind == .string || value.kind == .number
        {
            found.append((kind.text, value.text))
        }
        return found
    }
}

/// When a question that failed is asked again.
enum OutsideRetry {
    /// Seconds after each failure.
    private static let pauses: [Int64] = [5, 60, 600, 3600, 21_600, 86_400]

    enum Verdict: Equatable {
        case again(seconds: Int64)
        case never
    }

    /// `attempt`: how often it was asked, from 1; `status`: nil: there was no answer.
    static func verdict(attempt: Int, status: Int?) -> Verdict {
        if let status, (400..<500).contains(status), ![408, 425, 429].contains(status) { return .never }
        guard attempt >= 1, attempt <= pauses.count else { return .never }
        return .again(seconds: pauses[attempt - 1])
    }
}
