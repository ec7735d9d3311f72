import Foundation
import Foundations
import Logging
import Outbound
import Postgres
import TestSupport

@testable import Webhooks

/// A database with webhooks, and servers that send.
final class World {
    let database: Database
    let connection: Connection
    let client: OutboundClient
    private var senders: [Sender] = []

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        connection = try Connection(database.conninfo, name: "test")
        try migrate(connection, Schema.migrations)
        client = try OutboundClient(logger: Logger(label: "test"))
    }

    deinit {
        for sender in senders { Self.stop(sender) }
        client.stop()
    }

    func apply(_ webhooks: WebhookDefinition...) throws { try apply(webhooks) }
    func apply(_ webhooks: [WebhookDefinition]) throws {
        try WebhookStore.apply(webhooks, at: Clock.system.now(), connection)
    }

    static func webhook(
        _ receiver: Receiver, _ name: String = "call_centre",
        _ change: (inout WebhookDefinition) -> Void = { _ in }
    ) -> WebhookDefinition {
        Samples.webhook(name) {
            $0.url = receiver.url
            change(&$0)
        }
    }

    /// Queues items; the number is in the body as `no`, and makes the id.
    @discardableResult
    func enqueue(
        _ numbers: Range<Int>, to webhook: String = "call_centre",
        profile: (Int) -> Foundations.UUID? = { _ in Samples.profile },
        size: Int = 0
    ) throws -> [Foundations.UUID] {
        let items = numbers.map { number in
            var item = DeliveryItem(
                id: DeliveryID.uuid5("\(webhook) \(number)"),
                bucket: profile(number)?.bucket ?? Int32(number & 0xfff),
                webhook: webhook, panel: "acme", profile: profile(number), queuedAt: Clock.system.now())
            item.params =
                [("no", "\(number)")] + (size > 0 ? [("filler", String(repeating: "x", count: size))] : [])
            return item
        }
        let queue = DeliveryQueue(try WebhookStore.definitions(connection))
        try queue.enqueue(items, connection)
        return items.map(\.id)
    }

    @discardableResult
    func startSender(
        clock: Clock = .system, slack: Int64 = 30, _ change: (inout Sender.Options) -> Void = { _ in }
    ) -> Sender {
        var options = Sender.Options { _ in nil }
        options.idle = 20
        options.slack = slack
        change(&options)
        let sender = Sender(client: client, options: options, clock: clock, logger: Logger(label: "test"))
        sender.use(database.conninfo)
        senders.append(sender)
        return sender
    }

    static func stop(_ sender: Sender) {
        let done = Locked(false)
        sender.stop(within: 500) { done.withLock { $0 = true } }
        _ = try? eventually("stopped", within: 20) { () -> Bool in done.withLock { $0 } }
    }

    /// Claims what is due, as a server does.
    func claim(at now: Timestamp, seconds: Int64 = 60) throws -> [Claimed] {
        try Claim.take(
            [(webhook: "call_centre", room: 100)], share: Claim.Share(),
            leaseUntil: now.adding(seconds: seconds),
            now: now, connection)
    }

    func record(_ claims: [Claimed], _ status: Int, _ webhook: WebhookDefinition, at now: Timestamp) throws {
        let response = Result<OutboundResponse, OutboundError>.success(
            OutboundResponse(status: status, milliseconds: 1))
        try ResultStore.record(
            claims.map { AttemptResult($0, response, at: now, webhook: webhook) }, now: now, connection)
    }

    func count(_ state: String) throws -> Int {
        try database.count("select count(*) from delivery where state = $1", state)
    }

    func await(_ state: String, _ count: Int, within seconds: Double = 60) throws {
        try eventually("\(count) \(state)", within: seconds) { try self.count(state) >= count }
    }

    func awaitAttempts(_ count: Int) throws {
        try eventually("\(count) attempts") { try database.count("select count(*) from attempt") >= count }
    }

    /// The numbers in the body of a call, in their order.
    static func numbers(_ call: Receiver.Call) -> [Int] {
        let text = call.text.removingPercentEncoding ?? ""
        return text.components(separatedBy: "\"no\":\"").dropFirst().compactMap {
            Int($0.prefix { $0.isNumber })
        }
    }
}

/// A clock that a test moves.
final class Hands: Sendable {
    private let ahead = Locked<Int64>(0)
    func move(seconds: Int64) { ahead.withLock { $0 += seconds } }
    var clock: Clock {
        Clock(
            now: { [ahead] in Clock.system.now().adding(seconds: ahead.withLock { $0 }) },
            monotonic: { [ahead] in
                Clock.system.monotonic() + UInt64(ahead.withLock { $0 }) * 1_000_000_000
            })
    }
}
