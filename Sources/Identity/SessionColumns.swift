import Foundations
import Postgres

/// The columns of an upsert of sessions.
struct SessionColumns: ~Copyable {
    private var buckets = ArrayColumn(of: Int32.self)
    private var ids = ArrayColumn(of: Bytes.self)
    private var profiles = ArrayColumn(of: UUID?.self)
    private var sources = ArrayColumn(of: Bytes.self)
    private var started = ArrayColumn(of: Timestamp.self)
    private var seen = ArrayColumn(of: Timestamp.self)
    private var contexts = ArrayColumn(of: JSONText.self)
    private var agents = ArrayColumn(of: Bytes.self)
    private var skews = ArrayColumn(of: Int64?.self)
    private var parsed: [UserAgent] = []

    mutating func append(_ group: SessionGroup) {
        buckets.append(group.bucket)
        ids.append(group.id)
        profiles.append(group.profile)
        sources.append(group.source)
        started.append(group.startedAt)
        seen.append(group.seenAt)
        if group.context.count > 0 { contexts.append(JSONText(group.context)) } else { contexts.appendNull() }
        if group.userAgent.count > 0 { agents.append(group.userAgent) } else { agents.appendNull() }
        skews.append(group.skew)
        parsed.append(UserAgent(group.userAgent))
    }

    consuming func parameters() -> Parameters {
        var parameters = Parameters()
        parameters.append(buckets)
        parameters.append(ids)
        parameters.append(profiles)
        parameters.append(sources)
        parameters.append(started)
        parameters.append(seen)
        parameters.append(contexts)
        parameters.append(agents)
        parameters.append(skews)
        parameters.append(parsed.map { $0.device?.rawValue })
        parameters.append(parsed.map(\.os))
        parameters.append(parsed.map(\.browser))
        parameters.append(parsed.map(\.version))
        parameters.append(parsed.map(\.bot))
        return parameters
    }
}
