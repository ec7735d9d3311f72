import Foundations

/// Who is told when a webhook fails, and how often: `alert` of its definition. Times in microseconds.
package struct AlertRule: Sendable, Equatable {
    package var to: [String]
    package var every: Int64
    package var recovery: Bool

    package init(to: [String], every: Int64, recovery: Bool) {
        (self.to, self.every, self.recovery) = (to, every, recovery)
    }
}

/// Whether somebody is told when a webhook fails.
package enum AlertAudience: Sendable, Equatable {
    /// Nobody: its definition has no `alert`.
    case nobody
    case told(AlertRule, label: String)
    /// This server cannot say, for this reason: a variable is missing, perhaps here alone.
    case unknown(String)
}

/// Decides which mail is due. Pure.
///
/// The first failed attempt mails at once; after that at most one mail in each period tells how many failed since, as long
/// as some do, flapping included. That it works again is told besides, at most once in a period. 100,000 failures in a
/// period are one mail. That a webhook is disabled is told as a failure is, also when no attempt failed since the last mail.
package enum AlertPlan {
    /// How the webhook fares.
    package struct Figures: Sendable, Equatable {
        /// Attempts that failed, ever.
        package var failures: Int
        /// The first failure after the last success; nil: it works.
        package var failingSince: Timestamp?
        /// Nil: it is not.
        package var disabledAt: Timestamp?

        package init(failures: Int, failingSince: Timestamp?, disabledAt: Timestamp? = nil) {
            (self.failures, self.failingSince, self.disabledAt) = (failures, failingSince, disabledAt)
        }
    }

    /// What was mailed before.
    package struct Memory: Sendable, Equatable {
        package var mailedAt: Timestamp?
        /// `Figures.failures` as the last mail had them.
        package var mailedFailures = 0
        package var recoveryAt: Timestamp?
        /// The last mail said that it fails.
        package var isFailing = false

        package init() {}
    }

    package enum Mail: Sendable, Equatable {
        /// So many attempts failed since the last mail.
        case failure(new: Int)
        case recovery(new: Int)
    }

    package static func due(
        _ figures: Figures, _ memory: Memory, _ rule: AlertRule, now: Timestamp
    ) -> Mail? {
        let new = figures.failures - memory.mailedFailures
        let works = figures.failingSince == nil
        if works, memory.isFailing, rule.recovery, isOver(memory.recoveryAt, rule, now) {
            return .recovery(new: new)
        }
        let isNews = new > 0 || isNew(figures.disabledAt, memory)
        return isNews && isOver(memory.mailedAt, rule, now) ? .failure(new: new) : nil
    }

    /// Whether it was disabled after the last mail.
    private static func isNew(_ disabledAt: Timestamp?, _ memory: Memory) -> Bool {
        guard let disabledAt else { return false }
        return memory.mailedAt.map { disabledAt > $0 } ?? true
    }

    private static func isOver(_ last: Timestamp?, _ rule: AlertRule, _ now: Timestamp) -> Bool {
        guard let last else { return true }
        return now.microseconds - last.microseconds >= rule.every
    }

    /// What is remembered once a mail went out.
    package static func after(
        _ mail: Mail, _ figures: Figures, _ memory: Memory, now: Timestamp
    ) -> Memory {
        var memory = memory
        memory.mailedFailures = figures.failures
        switch mail {
        case .failure:
            memory.mailedAt = now
            memory.isFailing = true
        case .recovery:
            memory.recoveryAt = now
            memory.isFailing = false
        }
        return memory
    }

    /// After so many microseconds a mail that could not be sent is tried again.
    package static func patience(tries: Int) -> Int64 {
        let seconds: [Int64] = [5, 15, 60, 300]
        return (tries < seconds.count ? seconds[max(tries, 0)] : 900) * 1_000_000
    }
}
