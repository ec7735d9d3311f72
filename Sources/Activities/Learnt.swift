/// What a server learnt of one activity since its last flush.
package struct Learnt {
    package let key: ExactText
    package var summary: ActivitySummary

    package init(key: ExactText, limits: SummaryLimits) {
        self.key = key
        summary = ActivitySummary(limits: limits)
    }

    /// Who sent the first of these events.
    package var source: ExactText { ExactText(summary.first?.source ?? "") }
}

/// What the catalogue did not take, by source: reported, for the events themselves are stored.
package struct Overflow: Equatable, Sendable {
    package var events = 0
    /// One of the activities.
    package var activity = ""

    package init(events: Int, activity: String) { (self.events, self.activity) = (events, activity) }
}
