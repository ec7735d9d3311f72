import Foundations

/// A story in virtual time: what profiles do, and what must be delivered.
package struct Scenario: Sendable, Equatable {
    package struct Event: Sendable, Equatable {
        /// Microseconds after the start.
        package var at: Int64
        /// When the server gets it.
        package var arrives: Int64
        package var profile: String?
        package var label: String
        /// The properties: a JSON object.
        package var properties: [UInt8]
        package var source: String
    }

    package struct Expectation: Sendable, Equatable {
        package var at: Int64
        package var webhook: String
        package var profile: String?
        /// Those that are compared; others may be there.
        package var params: [(name: String, value: String)]

        package static func == (a: Self, b: Self) -> Bool {
            a.at == b.at && a.webhook == b.webhook && a.profile == b.profile
                && a.params.elementsEqual(b.params) { $0 == $1 }
        }
    }

    package var name: String
    package var journey: String
    package var start: Timestamp?
    /// Attributes by name of the profile: JSON objects.
    package var profiles: [String: [UInt8]]
    package var events: [Event]
    package var expect: [Expectation]
    package var file = ""
    package var line = 0
}
