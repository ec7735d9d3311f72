import Enrolments
import Foundations

/// All that can be asked, by chapter. Whoever adds an endpoint adds it to one of these lists.
enum Endpoints {
    static func all(
        _ parts: AdminServer.Parts, _ names: Locked<IdentityNames>,
        _ setting: Locked<RulesInForce.Setting> = Locked(RulesInForce.Setting(Configuration()))
    ) -> [Endpoint] {
        let chapters =
            activities + quarantine + profiles(names) + journeys(setting) + definitions(setting)
            + trials(parts, setting) + webhooks + operation(parts)
        let all = chapters
        let description = Locked<JSONValue>(.null)
        let whole = all + [describe(description)]
        description.withLock { $0 = OpenAPI.document(whole, version: parts.version) }
        return whole
    }
}
