import Foundations
import Postgres

/// One thing that can be asked of the admin API. The routes, the checks of what is sent, and the description at
/// `/admin/openapi.json` are all made of these values, so that they cannot differ; to add an endpoint is to write one.
struct Endpoint: Sendable {
    enum Verb: String, Sendable {
        case get = "GET"
        case post = "POST"
        case delete = "DELETE"
    }

    /// Which token is needed; the one for writing may read as well.
    enum Access: Sendable { case read, write }

    enum Work: Sendable {
        /// Answered at once, also while the database is away.
        case memory(@Sendable (Inquiry) throws -> JSONValue)
        /// Answered from the database: reading in a transaction that cannot write, writing in whatever transactions
        /// the work makes itself.
        case database(@Sendable (Inquiry, Connection) throws -> JSONValue)
        /// The same for what may take many seconds: it has workers of its own and holds up nothing else.
        case patient(@Sendable (Inquiry, Connection) throws -> JSONValue)
    }

    let verb: Verb
    /// `/admin/activities/{key}`
    let path: String
    /// The `operationId`.
    let name: String
    let tag: Tag
    let summary: String
    var explanation = ""
    var access = Access.read
    var parameters: [Parameter] = []
    var body: Shape?
    /// 200, or 202 for what is done later.
    var status = 200
    let answer: Shape
    /// What else it may answer besides what every endpoint may: 404 and 409, with what that means here.
    var refusals: KeyValuePairs<Int, String> = [:]
    let work: Work

    /// A chapter of the description.
    enum Tag: String, Sendable, CaseIterable {
        case activities, quarantine, profiles, journeys, definitions, webhooks, operation

        var explanation: String {
            switch self {
            case .activities: "What exists: activities, their parameters, and how they changed."
            case .quarantine: "Events that could not be taken, and sending them through again."
            case .profiles: "Who is who: profiles, what they are known by, and what they did."
            case .journeys: "What is in force, who is in it, and why; segments."
            case .definitions: "The journeys' files: checking, trying out, and bringing them into force."
            case .webhooks: "How webhooks fare, what waits for them, and sending it again."
            case .operation: "How the server is, and what became of the events."
            }
        }
    }
}
