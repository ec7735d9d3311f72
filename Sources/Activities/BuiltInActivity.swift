/// An activity that the server makes by itself: `session.start` and `session.end`.
///
/// Its events are rows of `event` whose source is `@waymark`; the site's source is in their properties. Nobody
/// discovers them: their parameters are what is written here, and nothing else is ever in them.
package struct BuiltInActivity: Sendable {
    package enum Kind: String, Sendable { case string, integer, timestamp }

    package struct Parameter: Sendable {
        package let name: String
        package let kind: Kind
        /// It is in every event.
        package let isRequired: Bool
    }

    /// Activities of the sites begin at 101.
    package let id: Int
    package let key: String
    package let label: String
    package let parameters: [Parameter]

    /// The source under which the server's own events stand.
    package static let source = "@waymark"

    package static let sessionStart = BuiltInActivity(
        id: 1, key: "session.start", label: "Session start",
        parameters: common + texts(["referrer"] + campaign))

    package static let sessionEnd = BuiltInActivity(
        id: 2, key: "session.end", label: "Session end",
        parameters: common + [
            Parameter(name: "started_at", kind: .timestamp, isRequired: true),
            Parameter(name: "seconds", kind: .integer, isRequired: true),
            Parameter(name: "events", kind: .integer, isRequired: true),
        ] + texts(["exit_page", "referrer"] + campaign))

    package static let all = [sessionStart, sessionEnd]

    private static let common = [
        Parameter(name: "source", kind: .string, isRequired: true),
        Parameter(name: "session", kind: .string, isRequired: true),
        Parameter(name: "visit", kind: .integer, isRequired: true),
        Parameter(name: "entry_page", kind: .string, isRequired: false),
    ]

    private static let campaign = [
        "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "click_source", "click_id",
    ]

    private static func texts(_ names: [String]) -> [Parameter] {
        names.map { Parameter(name: $0, kind: .string, isRequired: false) }
    }
}
