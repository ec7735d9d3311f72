import Foundations
import Identity
import Payload

extension ProfilePage {
    /// The same for programs: all of it, nothing in short; the latest event first.
    var json: String {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.object("profile") { json in write(person, to: &json) }
            json.array("visits") { json in
                for visit in visits { json.object { json in write(visit, to: &json) } }
            }
            json.array("events") { json in
                for event in timeline.events { json.object { json in write(event, to: &json) } }
            }
            json.member("next", timeline.next?.description)
        }
        return json.text
    }

    private func write(_ person: Person, to json: inout JSONWriter) {
        let summary = person.summary
        json.member("id", summary.id)
        summary.traits.withUnsafeBytes { json.member("traits", json: $0) }
        json.member("created_at", summary.createdAt)
        json.member("last_seen_at", summary.lastSeenAt)
        json.member("known_at", summary.knownAt)
        json.array("identities") { json in
            for identity in person.identities {
                json.object { json in
                    json.member("kind", identity.kind)
                    json.member("value", identity.value)
                    json.member("since", identity.since)
                }
            }
        }
        json.array("aliases") { json in
            for alias in person.aliases {
                json.object { json in
                    json.member("id", alias.id)
                    json.member("since", alias.since)
                }
            }
        }
    }

    private func write(_ visit: PersonVisit, to json: inout JSONWriter) {
        json.member("session", visit.session)
        json.member("visit", visit.number)
        json.member("source", visit.source)
        json.member("started_at", visit.startedAt)
        json.member("last_at", visit.lastAt)
        json.member("ended_at", visit.endedAt)
        json.member("events", visit.events)
        json.member("entry_page", visit.entryPage)
        json.member("exit_page", visit.exitPage)
        json.member("referrer", visit.referrer)
        json.object("campaign") { json in
            for (name, value) in visit.campaign { json.member(name, value) }
        }
        json.member("device", visit.device)
        json.member("os", visit.os)
        json.member("browser", visit.browser)
        json.member("browser_version", visit.browserVersion)
        json.member("bot", visit.bot)
    }

    private func write(_ event: Timeline.Event, to json: inout JSONWriter) {
        json.member("id", event.id)
        json.member("time", event.time)
        json.member("received_at", event.receivedAt)
        json.member("activity", event.activity)
        json.member("label", event.label)
        json.member("source", event.source)
        json.member("session", event.session)
        json.member("profile", event.profile)
        event.properties.withUnsafeBytes { json.member("properties", json: $0) }
        event.context.withUnsafeBytes { json.member("context", json: $0) }
        json.member("tags", event.tags)
        json.member("client_id", event.clientID)
    }
}
