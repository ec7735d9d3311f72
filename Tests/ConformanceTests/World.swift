import Foundation
import TestSupport
import Testing

/// The server and the database that most suites share; each test keeps to ids of its own.
enum World {
    static let sources = [
        "{id: shop-web, kind: web}",
        "{id: crm, kind: backend}",
        "{id: both, kind: [web, backend]}",
        "{id: vault, kind: backend, key: the-key-of-the-vault}",
        "{id: closed, kind: [web, backend], enabled: false}",
        #"{id: one-origin, kind: web, origins: ["https://shop.example"]}"#,
        #"{id: sub-origins, kind: web, origins: ["https://*.shop.example"]}"#,
        #"{id: any-origin, kind: web, origins: ["*"]}"#,
        #"{id: allowing, kind: [web, backend], allow: ["page-*", order]}"#,
        #"{id: denying, kind: [web, backend], deny: ["secret-*"]}"#,
        #"{id: keeping, kind: web, deny: ["secret-*"], denied: quarantine}"#,
        "{id: static-ids, kind: web, static_profile_id: true}",
        "{id: whole, kind: web, returns_profile: true}",
        "{id: rated, kind: [web, backend], rate: 5/m}",
    ]

    static let database = Result { try PostgresServer.shared.get().makeDatabase() }
    static let server = Result {
        try Server.ready(ServerOptions(sources: sources, database: database.get().conninfo))
    }
    /// A second server on the same database, which does not allow the debugger.
    static let second = Result {
        _ = try server.get()
        var options = try ServerOptions(sources: sources, database: database.get().conninfo)
        options.settings = []
        return try Server.ready(options)
    }
}

/// An id that no other test uses.
func unique(_ name: String = "x") -> String { "\(name)-\(UUID().uuidString.lowercased())" }

func newUUID() -> String { UUID().uuidString.lowercased() }

func isUUID(_ value: JSON?) -> Bool {
    value?.text.map { UUID(uuidString: $0) != nil && $0.count == 36 } ?? false
}

/// What the suites ask of the shared server and of the database.
struct Shop {
    let server: Server
    let database: Database

    init() throws {
        server = try World.server.get()
        database = try World.database.get()
    }

    /// One event of `shop-web` that carries the marker, with more members of the envelope (`"session":{…}`).
    func track(
        marker: String = unique("m"), source: String = "shop-web", type: String = "page view",
        _ more: String = "",
        event: String = "", query: String = "", on other: Server? = nil
    ) throws -> JSON {
        let more = more.isEmpty ? "" : "," + more
        let event = event.isEmpty ? "" : "," + event
        return try (other ?? server).track(
            """
            {"source":{"id":\(quoted(source))}\(more),
             "events":[{"type":\(quoted(type)),"properties":{"m":\(quoted(marker))}\(event)}]}
            """, query: query)
    }

    /// The row of the event with this marker, as soon as it is there.
    func event(_ marker: String) throws -> JSON {
        try eventually("the event \(marker) is stored") {
            try database.value("select to_jsonb(e)::text from event e where properties->>'m' = $1", marker)
                .map { try JSON(text: $0) }
        }
    }

    func events(_ marker: String) throws -> Int {
        try database.count("select count(*) from event where properties->>'m' = $1", marker)
    }

    /// The quarantined event whose payload has the text in it.
    func quarantined(_ text: String) throws -> JSON {
        try eventually("\(text) is in quarantine") {
            try database.value(
                "select to_jsonb(q)::text from quarantine q where strpos(payload::text, $1) > 0", text
            ).map { try JSON(text: $0) }
        }
    }

    func session(_ id: String) throws -> JSON {
        try eventually("the session \(id) is saved") {
            try database.value("select to_jsonb(s)::text from session s where id = $1", id).map {
                try JSON(text: $0)
            }
        }
    }

    func sessions(_ id: String) throws -> Int {
        try database.count("select count(*) from session where id = $1", id)
    }

    /// An event sent and stored, so that everything before it is stored as well.
    func flush() throws {
        let marker = unique("flush")
        _ = try track(marker: marker)
        _ = try event(marker)
    }
}

/// The answer is an error whose body every client library can read, and tells nothing that was sent.
func expectError(
    _ answer: Response, _ status: Int, hiding secret: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
    let body = try answer.json()
    #expect(body["status"] == .number(String(answer.status)), sourceLocation: sourceLocation)
    for name in ["error", "code", "message"] {
        #expect(
            body[.name(name)]?.text?.isEmpty == false, "\(name) in \(answer.text)",
            sourceLocation: sourceLocation)
    }
    #expect(body["detail"] != nil, sourceLocation: sourceLocation)
    #expect(Set(body.members?.keys ?? [:].keys) == ["detail", "error", "code", "message", "status"])
    #expect(
        answer.header("Content-Type")?.hasPrefix("application/json") == true, sourceLocation: sourceLocation)
    #expect(answer.header("X-Request-Id")?.isEmpty == false, sourceLocation: sourceLocation)
    if let secret { #expect(!answer.text.contains(secret), sourceLocation: sourceLocation) }
}
