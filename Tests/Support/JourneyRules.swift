import Foundation

/// The journeys that run at a `Site`, and what they must come to: a second, obvious implementation of just these.
///
/// What fires follows from the events as they are stored (their times are the servers'), and what is stored follows
/// from what clients were told, which `Books` knows.
package enum JourneyRules {
    static func definitions(_ url: String) -> String {
        let common = #"url: "\#(url)", timeout: 2s, allow_networks: [127.0.0.0/8]"#
        return """
            panel: acme
            timezone: UTC
            webhooks:
              plain: {\(common)}
              batched: {\(common), format: json, batch: {max: 20, linger: 200ms}}
              inorder: {\(common), order: profile}
            scores:
              heat:
                window: 1d
                rules: [{did: look, points: 10}]
                bands: {hot: 30}
            journeys:
              probe: {state: live, on: {did: probe}, reentry: always, do: [{exit: done}]}
              bought:
                state: live
                on: {did: big buy, where: 'total >= 100'}
                reentry: always
                do: [{webhook: plain, params: {m: "{m}"}}]
              order:
                state: live
                on: {did: order, where: own}
                reentry: always
                do: [{webhook: batched, params: {m: "{m}"}}]
              waved:
                state: live
                on: {did: wave}
                reentry: always
                do: [{webhook: plain, params: {m: "{m}"}}]
              cart:
                state: live
                on: {did: fill cart}
                key: m
                reentry: per_key
                unless: {did: check out, where: 'cart == entry.m', within: 3s}
                do: [{webhook: batched, params: {m: "{entry.m}"}}]
              tour:
                state: live
                on: {did: begin tour}
                key: m
                reentry: once
                do:
                  - {webhook: inorder, params: {m: "{entry.m}", step: first}}
                  - {wait: 2s}
                  - {webhook: inorder, params: {m: "{entry.m}", step: second}}
              hot:
                state: live
                on: {score: heat, enters: [hot]}
                reentry: once
                do: [{webhook: plain}]

            """
    }

    /// How long a cart is waited for, in microseconds; the only wait of `cart`.
    static let patience = 3_000_000

    /// A stored event of the journeys, times in microseconds.
    package struct Stored: Sendable {
        var activity: String
        var marker: String
        var cart: String?
        var total: Int
        /// Its person was known when it came.
        var isOwn = true
        /// Under which it stands, and who that is now.
        var profile: String
        var person: String
        var time: Int
        var received: Int

        package init(
            _ activity: String, _ marker: String, cart: String? = nil, total: Int = 0, profile: String = "p",
            person: String? = nil, time: Int = 0, received: Int? = nil
        ) {
            (self.activity, self.marker, self.cart, self.total) = (activity, marker, cart, total)
            (self.profile, self.person) = (profile, person ?? profile)
            (self.time, self.received) = (time, received ?? time)
        }
    }

    /// What must have fired of these events, and what may have: at the same instant the order of arrival decides, and
    /// where two became one person, when they did.
    package static func expected(_ events: [Stored]) -> (must: Set<Fire>, may: Set<Fire>) {
        var (must, may) = (Set<Fire>(), Set<Fire>())
        let outs = Dictionary(grouping: events.filter { $0.activity == "check-out" }) { $0.cart ?? "" }
        var looks: [String: Int] = [:]
        for event in events {
            switch event.activity {
            case "big-buy": if event.total >= 100 { must.insert(Fire("bought", event.marker)) }
            case "order": if event.isOwn { must.insert(Fire("order", event.marker)) }
            case "begin-tour":
                must.formUnion(["first", "second"].map { Fire("tour", event.marker, $0) })
            case "look": looks[event.person, default: 0] += 1
            case "fill-cart":
                let until = event.time + patience
                let due = max(until, event.received)
                let known = (outs[event.marker] ?? []).filter {
                    (event.time...until).contains($0.time) && $0.received <= due && $0.person == event.person
                }
                if known.contains(where: { $0.time > event.time && $0.profile == event.profile }) { continue }
                if known.isEmpty {
                    must.insert(Fire("cart", event.marker))
                } else {
                    may.insert(Fire("cart", event.marker))
                }
            default: break
            }
        }
        for (person, count) in looks where count >= 3 { must.insert(Fire("hot", person)) }
        return (must, may)
    }
}
