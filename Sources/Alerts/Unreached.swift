import Foundations
import Outbound

/// A mail that not all of its recipients got: whom the mail server put off is tried again, whom it refused is only shown.
/// Pure.
///
/// It is kept in memory: until the next mail about the same webhook, which goes to all of them, or until a restart.
struct Unreached {
    let message: [UInt8]
    private(set) var refusals: [MailRefusal]
    private var tries = 0
    private var tryAt: Timestamp

    /// About a day; from then on it is only shown.
    private static let mostTries = 100

    /// Nil: everybody got it.
    init?(_ message: [UInt8], _ refusals: [MailRefusal], at now: Timestamp) {
        guard !refusals.isEmpty else { return nil }
        (self.message, self.refusals) = (message, refusals)
        tryAt = now.adding(microseconds: AlertPlan.patience(tries: 0))
    }

    /// Who is to be tried again now.
    func due(at now: Timestamp) -> [String] {
        guard tryAt <= now, tries < Self.mostTries else { return [] }
        return refusals.filter(\.isTemporary).map(\.address)
    }

    /// It went to those who were due, but for these; nil: to nobody, and they stay as they are.
    mutating func tried(_ left: [MailRefusal]?, at now: Timestamp) {
        if let left { refusals = refusals.filter { !$0.isTemporary } + left }
        tries += 1
        tryAt = now.adding(microseconds: AlertPlan.patience(tries: tries))
    }

    /// Forgets who is not to be told any more; false: nobody is left.
    mutating func keep(_ addresses: [String]) -> Bool {
        refusals.removeAll { !addresses.contains($0.address) }
        return !refusals.isEmpty
    }

    /// `a@acme.example (550 no such user), b@acme.example (450 later)`
    var text: String { refusals.map { "\($0.address) (\($0.reply))" }.joined(separator: ", ") }
}
