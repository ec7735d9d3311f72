import Foundations
import Payload

/// What was learnt of many activities, bounded: what a server gathers between two flushes.
///
/// Beyond the limit, the activities whose keys have the smallest hashes are kept, the rest is counted.
package struct CatalogueSummary: Sendable {
    package let limits: SummaryLimits
    package private(set) var activities: [String: ActivitySummary] = [:]
    /// Events of activities that are not kept.
    package private(set) var truncated = 0

    package init(limits: SummaryLimits = SummaryLimits()) { self.limits = limits }

    package mutating func observe(activity: Bytes, _ properties: JSONNode, _ facts: EventFacts) {
        activities[activity.text, default: ActivitySummary(limits: limits)].observe(properties, facts)
    }

    /// Roughly how many bytes of memory it takes.
    package var footprint: Int { activities.values.reduce(0) { $0 + $1.footprint } }
}
