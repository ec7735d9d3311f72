import Foundations

/// What identity counts.
package final class IdentityMetrics: Sendable {
    /// Profiles that became known by their first identity.
    package let known = Counter()
    package let merges = Counter()
    /// Sessions that went over to another person: a shared device.
    package let rebinds = Counter()
    /// Identities that belong to somebody else and changed nothing.
    package let conflicts = Counter()
    /// Values at identification points and trait mappings that were of no use.
    package let ignoredValues = Counter()
    /// Changes of traits that did not fit: too many, too large, not to be added.
    package let ignoredChanges = Counter()
    /// Events that got their profile later …
    package let attached = Counter()
    /// … that began to wait for it …
    package let waiting = Counter()
    /// … and that waited in vain.
    package let expired = Counter()
    package let lookupsFound = Counter()
    package let lookupsEmpty = Counter()
    package let lookupsFailed = Counter()
    package let lookupsRetried = Counter()

    package init() {}
}
