import Foundation
import TestSupport
import Testing

/// A server with an admin API, a database with something in it, and the tokens.
struct AdminWorld {
    enum Token: String {
        case read = "the-token-that-reads"
        case write = "the-token-that-writes"
        case wrong = "the-token-that-is-wrong"

        var header: (String, String) { ("Authorization", "Bearer \(rawValue)") }
    }

    static let admin =
        "admin: {listen: '127.0.0.1:0', read_token: \(Token.read.rawValue), write_token: \(Token.write.rawValue)}"
    static let settings = ["debug: true", admin]

    /// What all suites were answered, to be held to the description.
    static let answers = Recording()

    private static let shared = Result { try AdminWorld() }

    let database: Database
    let server: Server
    /// A profile that did something.
    let profile: String
    /// Events that could not be taken: first the one whose type is 17.
    let quarantined: [String]

    static func get() throws -> AdminWorld { try shared.get() }

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        var options = ServerOptions(sources: World.sources, database: database.conninfo)
        options.settings = Self.settings
        server = try Server.ready(options)
        try Self.applyJourneys(server)
        let answer = try server.track(
            """
            {"source":{"id":"shop-web"},"session":{"id":"the session"},"options":{"debugger":true},"events":[
             {"type":"Product Purchase","properties":{"items":[{"name":"sofa","price":9990.91},{"name":"lamp","price":49.5}]}},
             {"type":"Product Purchase","properties":{"items":[]}},
             {"type":"a/b 🛋 \\"c\\"","properties":{"select":1,"":null,"🛋":[[]]}},
             {"type":17},{"type":"fine","properties":[]},{"properties":{}}]}
            """)
        profile = try #require(answer["profile", "id"]?.text)
        let sources = World.sources.count
        try eventually("the sources are noted, and the activities known") { [database] in
            try database.count("select count(*) from source") == sources
                && database.count("select count(*) from activity where key = 'product-purchase'") == 1
        }
        let rows = try database.rows(
            "select id from quarantine order by payload->'type' = '17' desc nulls last, id")
        quarantined = rows.compactMap { $0[0] }
    }

    static func applyJourneys(_ server: Server) throws {
        let folder = try Scratch.shared.newFolder("journeys")
        let text = """
            webhooks: {call_centre: {url: "https://x.example/a", label: Call centre}}
            segments: {in_canada: {where: 'attr.COUNTRY == "Canada"'}}
            journeys:
              high_value_cart: {state: shadow, on: {did: product purchase, where: 'items.count() > 0'}, do: [{webhook: call_centre}]}

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/j.yaml"))
        let (exit, output) = try server.command("journeys", "apply", folder)
        if exit != .code(0) { throw Failure("apply: \(output)") }
    }

    /// Asks, and notes the answer.
    func ask(
        _ method: String, _ target: String, _ token: Token? = .read, body: String? = nil,
        headers: [(String, String)] = []
    ) throws -> Response {
        var headers = headers
        if let token { headers.append(token.header) }
        if body != nil, !headers.contains(where: { $0.0 == "Content-Type" }) {
            headers.append(("Content-Type", "application/json"))
        }
        let request = Request(method, target, headers, body: body.map { Array($0.utf8) })
        let answer = try Client(server.adminAddress).exchange(request)
        Self.answers.note(request, answer)
        return answer
    }

    func get(_ target: String, _ token: Token? = .read) throws -> Response { try ask("GET", target, token) }

    /// All items of a list, page by page.
    func items(_ target: String, limit: Int) throws -> [JSON] {
        var items: [JSON] = []
        var after = ""
        for _ in 0..<1000 {
            let mark = target.contains("?") ? "&" : "?"
            let answer = try get("\(target)\(mark)limit=\(limit)\(after)")
            guard answer.status == 200, let page = try answer.json()["items"]?.list, page.count <= limit
            else {
                throw Failure("\(target): \(answer.status) \(answer.text.prefix(500))")
            }
            items += page
            guard let next = try answer.json()["next"]?.text else { return items }
            after = "&after=\(escaped(next))"
        }
        throw Failure("\(target) has no last page")
    }
}

/// Answers, as the Python program that judges them reads them.
final class Recording: @unchecked Sendable {  // `lines` is owned by whoever holds `lock`
    private let lock = NSLock()
    private var lines: [String] = []

    func note(_ request: Request, _ answer: Response) {
        let headers = answer.headers.map { "\(quoted($0.name)):\(quoted($0.value))" }.joined(separator: ",")
        let line =
            "{\"method\":\(quoted(request.method)),\"target\":\(quoted(request.target)),"
            + "\"status\":\(answer.status),\"headers\":{\(headers)},\"body\":\(quoted(answer.text))}"
        lock.withLock { lines.append(line) }
    }

    var text: String { lock.withLock { lines.joined(separator: "\n") + "\n" } }
}

/// Percent-encoded for one segment of a path or one value of a query.
func escaped(_ text: String) -> String {
    text.utf8.map { byte in
        let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        return isPlain ? String(UnicodeScalar(byte)) : String(format: "%%%02X", byte)
    }.joined()
}

/// The Python programs that judge us.
enum Python {
    /// The folder of the virtual environment that `Scripts/python` makes.
    private static let folder: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        return "\(root)/.build/python/bin"
    }()

    static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Python").path

    /// A program of the environment; it fails when there is none, since a test that is left out proves nothing.
    static func program(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        guard access(path, X_OK) == 0 else {
            throw Failure("\(path) is not there: run Scripts/python, which gets it from PyPI (pypi.org)")
        }
        return path
    }
}
