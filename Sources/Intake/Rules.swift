import Foundations

/// What the configuration says about requests: replaced as a whole when it is read again (SIGHUP).
final class Rules: Sendable {
    let sources: SourceTable
    let limits: Limits
    /// `options.debugger` is allowed.
    let debug: Bool
    let addresses: AddressBuckets?

    init(_ configuration: Configuration, recent: RecentIDs, before: Rules? = nil) {
        sources = SourceTable(configuration.sources, recent: recent, before: before?.sources)
        limits = configuration.limits
        debug = configuration.debug
        if let before, before.limits.addressRate == configuration.limits.addressRate {
            addresses = before.addresses
        } else {
            addresses = configuration.limits.addressRate.map { AddressBuckets(CellRate($0)) }
        }
    }

    /// The origin to be echoed: the caller's, if the source (where it is known) or some source allows it.
    func echoed(_ origin: Bytes?, for source: SourceEntry?) -> Bytes? {
        guard let origin, CrossOrigin.isOrigin(origin) else { return nil }
        let allowed = source.map { $0.allows(origin: origin) } ?? sources.someWebSourceAllows(origin: origin)
        return allowed ? origin : nil
    }
}
