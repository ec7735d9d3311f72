import Foundations

/// What the catalogue counts.
package final class CatalogueMetrics: Sendable {
    /// Events that were learnt from.
    package let events = Counter()
    /// Events of activities, or with parameters, that the catalogue has no room for.
    package let overflowed = Counter()
    package let flushes = Counter()
    package let changes = Counter()
    package let errors = Counter()
    package let viewErrors = Counter()
    /// Places in the spool that were gone before they could be read.
    package let gaps = Counter()
    /// From the arrival of an event to the commit of what was learnt from it, for the oldest of each flush.
    package let toCommit = Histogram()
    /// 1 while it is connected.
    package let isConnected = Gauge()

    package init() {}
}
