import Foundation

/// One thing that a journey did: which journey, for which event's marker (or which person), at which step.
package struct Fire: Hashable, Sendable {
    let journey: String
    /// The marker of the entry event; of journeys that no event starts, the person's id.
    let about: String
    let step: String

    package init(_ journey: String, _ about: String, _ step: String = "") {
        (self.journey, self.about, self.step) = (journey, about, step)
    }

    package var text: String { "\(journey)/\(about)/\(step)" }

    /// With `order: profile` what must have been taken before it.
    var predecessor: Fire? { step == "second" ? Fire(journey, about, "first") : nil }

    static func isOf(_ round: String, _ text: String) -> Bool {
        text.split(separator: "/", maxSplits: 1).last?.hasPrefix("\(round)-") == true
    }

    /// Those of a webhook's body, form-encoded or JSON; none: it is not understood.
    package static func read(_ body: [UInt8]) -> [Fire] {
        var text = String(decoding: body, as: UTF8.self)
        if text.hasPrefix("data=") { text = String(text.dropFirst(5)).removingPercentEncoding ?? "" }
        guard let panel = try? JSON(text: text).members?.values.first else { return [] }
        return (panel.list ?? [panel]).compactMap { item in
            guard let journey = item["journey_name"]?.text else { return nil }
            let params = item["custom_params"]
            let marker = params?["m"]?.text ?? ""
            let person = item["event_params", "guid"]?.text ?? ""
            return Fire(journey, marker.isEmpty ? person : marker, params?["step"]?.text ?? "")
        }
    }
}
