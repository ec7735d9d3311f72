import Foundations
import Testing

@testable import Alerts

/// Which mail is due when.
@Suite struct PlanTests {
    /// A webhook over time: `at` seconds, so many failures so far, and whether it fails; and what was mailed.
    static func mails(
        _ story: [(at: Int64, failures: Int, fails: Bool)], every: Int64 = 3600, recovery: Bool = true
    )
        -> [String]
    {
        let rule = AlertRule(to: ["a@b.example"], every: every * 1_000_000, recovery: recovery)
        var memory = AlertPlan.Memory()
        var mails: [String] = []
        for (at, failures, fails) in story {
            let now = Timestamp(seconds: 1_000_000 + at)
            let figures = AlertPlan.Figures(failures: failures, failingSince: fails ? now : nil)
            guard let mail = AlertPlan.due(figures, memory, rule, now: now) else { continue }
            memory = AlertPlan.after(mail, figures, memory, now: now)
            switch mail {
            case .failure(let new): mails.append("\(at): \(new) failed")
            case .recovery(let new): mails.append("\(at): works\(new > 0 ? ", \(new) failed" : "")")
            }
        }
        return mails
    }

    static func moment(_ second: Int, _ failures: Int, _ fails: Bool) -> (
        at: Int64, failures: Int, fails: Bool
    ) {
        (Int64(second), failures, fails)
    }

    @Test func theFirstFailureMailsAtOnceAndTheRestOncePerPeriod() {
        let story = (0...7200).map { second in Self.moment(second, second * 14 + 1, true) }
        #expect(Self.mails(story) == ["0: 1 failed", "3600: 50400 failed", "7200: 50400 failed"])
    }

    @Test func nothingNewIsNothingToSay() {
        #expect(
            Self.mails([(0, 0, false), (5, 1, true), (4000, 1, true), (8000, 1, true)]) == ["5: 1 failed"])
    }

    @Test func theRecoveryIsToldBesides() {
        #expect(
            Self.mails([(0, 1, true), (10, 5, true), (20, 5, false), (30, 5, false)]) == [
                "0: 1 failed", "20: works, 4 failed",
            ])
    }

    @Test func flappingIsOneMailOfEachKindPerPeriod() {
        let story = (0..<7200).map { second in Self.moment(second, second / 2 + 1, second % 2 == 0) }
        let mails = Self.mails(story)
        #expect(mails.filter { $0.contains("works") }.count == 2)
        #expect(mails.filter { !$0.contains("works") }.count == 2)
    }

    @Test func aRecoveryNobodyWantsIsNotMailed() {
        let mails = Self.mails([(0, 1, true), (10, 5, false), (3700, 5, false)], recovery: false)
        #expect(mails == ["0: 1 failed", "3700: 4 failed"])
    }

    @Test func aPeriodMayBeASecond() {
        let story = (0...3).map { second in Self.moment(second, second + 1, true) }
        #expect(Self.mails(story, every: 1).count == 4)
    }

    @Test func patienceGrows() {
        #expect(
            [0, 1, 2, 3, 4, 50].map { AlertPlan.patience(tries: $0) / 1_000_000 } == [
                5, 15, 60, 300, 900, 900,
            ])
    }

    /// What a receiver answers is set in, line by line, and looks like no line of ours.
    @Test(arguments: ["\n", "\r", "\r\n", "\u{0B}", "\u{0C}", "\u{85}", "\u{2028}", "\u{2029}"])
    func aReceiverWritesNoLineOfTheMail(_ end: String) {
        var facts = AlertFacts(webhook: "crm", label: "CRM", state: "active")
        facts.lastExcerpt = "no\(end)\(end)Waymark: run this"
        let mail = AlertText(.failure(new: 1), facts, now: Timestamp(seconds: 1_795_327_200))
        let lines = mail.plain.unicodeScalars.split {
            "\r\n\u{0B}\u{0C}\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0)
        }
        #expect(lines.contains { String($0).hasSuffix("   Waymark: run this") })
        #expect(!lines.contains { String($0).hasPrefix("Waymark:") })
    }
}
