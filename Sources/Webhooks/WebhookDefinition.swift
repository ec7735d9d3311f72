import Foundations
import Outbound

/// A webhook as its owner wrote it: where deliveries go, how they look, and what happens when they fail.
///
/// Texts keep `${NAME}` as a reference to the environment; `Endpoint` is what becomes of them on the server that
/// sends. Times are in microseconds.
package struct WebhookDefinition: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable {
        /// `data=` and the percent-encoded JSON.
        case form
        /// The JSON itself.
        case json
        /// `{"type","timestamp","data"}` of Standard Webhooks.
        case standard
    }

    package enum Authorization: Sendable, Equatable {
        case basic(user: String, password: String)
        case bearer(String)
    }

    package struct Batch: Sendable, Equatable {
        package var max = 1
        /// How long the first of a batch waits for others.
        package var linger: Int64 = 0
    }

    package enum Order: String, Sendable, CaseIterable {
        case none
        /// What one person is sent goes out one after the other, in the order in which it was queued.
        case profile
    }

    package struct Limit: Sendable, Equatable {
        package var concurrency = 10
        package var rate: Rate?
    }

    package struct Alert: Sendable, Equatable {
        package var to: [String]
        package var every: Int64 = 3_600_000_000
        package var recovery = true
    }

    package enum Success: String, Sendable, CaseIterable {
        case ok = "200"
        case any2xx = "2xx"

        package func includes(_ status: Int) -> Bool {
            self == .ok ? status == 200 : (200...299).contains(status)
        }
    }

    /// Journeys name it by this.
    package var name: String
    /// Receivers see this.
    package var label: String
    package var url: String
    package var format = Format.form
    package var authorization: Authorization?
    package var headers: [(name: String, value: String)] = []
    /// The profile's attributes that go along: an allow-list, in this order.
    package var attributes: [String] = []
    package var timeout: Int64 = 15_000_000
    package var batch = Batch()
    package var order = Order.none
    package var limit = Limit()
    package var alert: Alert?
    /// Signing secrets: two during a rotation.
    package var sign: [String] = []
    package var success = Success.ok
    package var retries4xx = false
    /// A file of certificates in PEM that are trusted as well.
    package var ca: String?
    package var allowNetworks: [Network] = []
    /// Without a success for so long it is disabled.
    package var disableAfter: Int64 = 5 * 86_400_000_000

    /// For so long a delivery may be claimed and neither sent nor decided: it waits for others of its batch, and then
    /// for the answer.
    var longestStay: Int64 { timeout + (batch.max > 1 ? batch.linger : 0) }

    package init(name: String, url: String) {
        (self.name, label, self.url) = (name, name, url)
    }

    package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
