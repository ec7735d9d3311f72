import Foundation
import TestSupport

/// A server with journeys, and a receiver that its webhooks post to.
final class JourneysWorld: Sendable {
    let server: Server
    let database: Database
    let receiver: Receiver
    private let folder: String

    static let sources = [
        "{id: shop, name: Web shop, kind: web, identify: [{by: email, from: properties.email}, {by: phone, from: properties.phone}], traits: [{set: tier, from: properties.tier}]}",
        "{id: till, kind: backend}",
    ]

    private let segments: String

    init(_ journeys: String, segments: String = "{}", _ change: (inout ServerOptions) -> Void = { _ in })
        throws
    {
        self.segments = segments
        receiver = try Receiver()
        database = try PostgresServer.shared.get().makeDatabase()
        folder = try Scratch.shared.newFolder("journeys")
        var options = ServerOptions(sources: Self.sources, database: database.conninfo)
        change(&options)
        server = try Server.ready(options)
        try apply(journeys)
    }

    deinit { receiver.close() }

    /// Writes the file and brings it into force; the running server takes its second to read it.
    @discardableResult
    func apply(_ journeys: String, check: Bool = true) throws -> String {
        try Data(file(journeys, receiver.url).utf8).write(to: URL(fileURLWithPath: "\(folder)/j.yaml"))
        let (exit, output) = try server.command("journeys", "apply", folder)
        if check, exit != .code(0) { throw Failure("apply: \(output)") }
        return output
    }

    func plan() throws -> String { try server.command("journeys", "plan", folder).output }

    private func file(_ journeys: String, _ url: String) -> String {
        """
        panel: acme
        timezone: UTC
        webhooks:
          feed: {label: Feed, url: "\(url)", attributes: [tier], allow_networks: [127.0.0.0/8]}
        segments: \(segments)
        journeys:
        \(journeys.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

        """
    }

    /// Posts an event, which is answered when it is stored.
    @discardableResult
    func track(
        _ type: String, _ properties: String = "{}", session: String, time: Date? = nil,
        on other: Server? = nil
    ) throws -> JSON {
        let time = time.map { #","time":"\#(Self.format($0))""# } ?? ""
        return try (other ?? server).track(
            """
            {"source":{"id":"shop"},"session":{"id":\(quoted(session))},"options":{"debugger":true,"profile":true},
             "events":[{"type":\(quoted(type)),"properties":\(properties)\(time)}]}
            """)
    }

    static func format(_ date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970)
        var moment = time_t(seconds)
        var parts = tm()
        gmtime_r(&moment, &parts)
        let micro = Int((date.timeIntervalSince1970 - Double(seconds)) * 1_000_000)
        return String(
            format: "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900, parts.tm_mon + 1,
            parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, micro)
    }

    /// The JSON of the bodies that came, decoded; those that have the text in them.
    func bodies(with text: String = "") -> [String] {
        receiver.calls.compactMap { call -> String? in
            guard call.text.hasPrefix("data=") else { return nil }
            let body = String(call.text.dropFirst(5)).removingPercentEncoding ?? ""
            return text.isEmpty || body.contains(text) ? body : nil
        }
    }

    /// Until so many came that have the text in them.
    @discardableResult
    func await(_ count: Int, with text: String) throws -> [String] {
        try eventually("\(count) deliveries with \(text)") {
            let bodies = bodies(with: text)
            return bodies.count >= count ? bodies : nil
        }
    }

    /// Until the trace has a line of that kind whose enrolment has the key.
    func awaitDecision(_ kind: String, key: String) throws {
        try eventually("\(kind) of \(key)") { try decisions(kind, key: key) > 0 }
    }

    func decisions(_ kind: String, key: String) throws -> Int {
        try database.count(
            """
            select count(*) from decision d join enrolment e on e.id = d.enrolment where d.kind = $1 and e.key = $2
            """, kind, key)
    }

    /// The server has read what was applied last: a journey of this probe's answers.
    func settle() throws {
        let probe = unique("probe")
        try eventually("the journeys are in force", every: 0.2) {
            try track("probe", #"{"p":"\#(probe)"}"#, session: probe)
            return try database.count("select count(*) from enrolment where journey = 'probe'") > 0
        }
    }
}
