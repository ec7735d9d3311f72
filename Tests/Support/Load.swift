import Foundation

/// Clients that send without a pause for as long as a test breaks things, and remember what they were told.
///
/// Every event carries a marker of its own in `properties.m`, so that afterwards the database can be asked what
/// became of each: see `Books`.
package final class Load: @unchecked Sendable {  // `books` and `stopping` are owned by whoever holds `lock`
    private let addresses: @Sendable () -> [String]
    private let lock = NSLock()
    private var books: Books
    private var stopping = false
    private let done = DispatchGroup()

    /// - Parameters:
    ///   - addresses: Where to send, asked anew for each connection, since a restarted server has another port.
    ///   - pace: Seconds between two requests of one client.
    ///   - journeys: Do also what `JourneyRules` listen to.
    package init(
        clients: Int = 6, seed: UInt64 = 1, pace: Double = 0.002, round: String = "r", journeys: Bool = false,
        to addresses: @escaping @Sendable () -> [String]
    ) {
        self.addresses = addresses
        books = Books(round: round)
        for client in 0..<clients {
            done.enter()
            Thread { [self] in
                var sender = LoadClient(
                    name: "\(round)-\(client)", round: round, seed: seed &+ UInt64(client),
                    addresses: addresses)
                sender.hasJourneys = journeys
                while !lock.withLock({ stopping }) {
                    sender.step()
                    if pace > 0 { pause(pace) }
                }
                sender.finish()
                lock.withLock { books.add(sender.books) }
                done.leave()
            }.start()
        }
    }

    /// Lets each client end what it is at, and returns what all were told.
    package func stop() -> Books {
        lock.withLock { stopping = true }
        done.wait()
        return lock.withLock { books }
    }
}

/// One client: it sends one request after the other and tries again where that is safe.
struct LoadClient {
    let name: String
    /// What all clients of a load have in common: the names of persons, vouchers and shared devices begin with it.
    let round: String
    let addresses: @Sendable () -> [String]
    /// Do also what `JourneyRules` listen to.
    var hasJourneys = false
    var books = Books()
    var random: SeededRandom
    var later: [Later] = []
    var loners = 0
    private var connection: Client?
    private var count = 0
    private var sessions: [String] = []
    /// Client-given ids that were answered 200, to be sent a second time.
    private var repeatable: [Sending] = []
    /// Requests with ids of their own that nobody has confirmed yet.
    private var unconfirmed: [Sending] = []

    struct Sending {
        let request: Request
        let markers: [String]
    }

    init(name: String, round: String, seed: UInt64, addresses: @escaping @Sendable () -> [String]) {
        self.name = name
        self.round = round
        self.addresses = addresses
        random = SeededRandom(seed)
    }

    mutating func step() {
        if !unconfirmed.isEmpty, random.chance(50) {
            send(unconfirmed.removeFirst(), safe: true)
        } else if !repeatable.isEmpty, random.chance(5) {
            send(repeatable[Int.random(in: 0..<repeatable.count, using: &random)], safe: true)
        } else if hasJourneys, random.chance(50) {
            journeyStep()
        } else {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<38: send(tracked(ids: false), safe: false)
            case 38..<45: send(voucher(), safe: true)
            case 45..<65: send(tracked(ids: true), safe: true)
            case 65..<75: send(tracked(ids: false, bad: true), safe: false)
            case 75..<80: send(unsaved(), safe: false)
            default: send(collected(), safe: true)
            }
        }
    }

    /// Tries what is unconfirmed for a while longer.
    mutating func finish() {
        finishLater()
        let deadline = Moment.now + 30 * patience
        while !unconfirmed.isEmpty, Moment.now < deadline {
            send(unconfirmed.removeFirst(), safe: true)
            pause(0.01)
        }
        for left in unconfirmed { books.note(left.markers, .unknown) }
    }

    private mutating func connect() throws -> Client {
        guard let address = addresses().randomElement(using: &random) else {
            throw Failure("there is no address")
        }
        return try Client(address, patience: 30)
    }

    mutating func send(_ sending: Sending, safe: Bool) {
        var status: Int?
        let begun = Moment.now
        do {
            let connection = try self.connection ?? connect()
            self.connection = connection
            let answer = try connection.exchange(sending.request)
            status = answer.status
            if answer.header("connection")?.lowercased() == "close" { self.connection = nil }
        } catch {
            books.note(unanswered: "\(error) after \(Moment.now - begun) s")
            connection = nil
            pause(0.02)
        }
        books.answers[status ?? 0, default: 0] += 1
        switch status {
        case 200:
            books.note(sending.markers, .promised)
            if safe, repeatable.count < 200 { repeatable.append(sending) }
        case nil:
            if safe { unconfirmed.append(sending) } else { books.note(sending.markers, .unknown) }
        case 503:
            // What was refused may be tried again, under the same id; without an id it must not exist.
            if safe { unconfirmed.append(sending) } else { books.note(sending.markers, .refused) }
            pause(0.02)
        default:
            books.problems.append("unexpected answer \(status ?? 0) to \(sending.markers.first ?? "nothing")")
        }
    }

    mutating func marker() -> String {
        count += 1
        return "\(name)-\(count)"
    }

    /// One in eight is a device that all clients use at the same time.
    mutating func session() -> String {
        if random.chance(12) { return "\(round)-shared-\(Int.random(in: 0..<8, using: &random))" }
        if sessions.count < 20 || random.chance(10) { sessions.append("\(name)-s\(sessions.count)") }
        return sessions[Int.random(in: 0..<sessions.count, using: &random)]
    }

    /// Now and then somebody says who it is.
    private mutating func signIn() -> String {
        random.chance(8) ? #","email":"p\#(Int.random(in: 0..<60, using: &random))@\#(round).example""# : ""
    }

    private mutating func voucherID() -> String { "\(round)-v\(Int.random(in: 0..<400, using: &random))" }

    /// A customer gets a voucher, which he may have redeemed long ago.
    private mutating func voucher() -> Sending {
        let marker = marker()
        let body =
            #"{"source":{"id":"load-web"},"session":{"id":"\#(session())"},"#
            + #""events":[{"type":"voucher sent","id":"id-\#(marker)","properties":{"m":"\#(marker)","voucher":"\#(voucherID())"}}]}"#
        return Sending(request: Request("POST", "/track", body: Array(body.utf8)), markers: [marker])
    }

    private mutating func tracked(ids: Bool, bad: Bool = false) -> Sending {
        let markers = (0...Int.random(in: 0..<3, using: &random)).map { _ in marker() }
        var events = markers.map { marker in
            let id = ids ? #""id":"id-\#(marker)","# : ""
            return
                #"{\#(id)"type":"page view","properties":{"m":"\#(marker)","price":12.50,"tags":["a","b"]\#(signIn())}}"#
        }
        if bad { events.append(#"{"type":"  ","properties":{"why":"blank"}}"#) }
        if bad { events.append(#"{"type":"forbidden","properties":{}}"#) }
        let body =
            #"{"source":{"id":"load-web"},"session":{"id":"\#(session())"},"context":{"screen":"1x1"},"#
            + #""events":[\#(events.joined(separator: ","))]}"#
        let headers = [("Content-Type", "application/json")]
        return Sending(request: Request("POST", "/track", headers, body: Array(body.utf8)), markers: markers)
    }

    private mutating func unsaved() -> Sending {
        let body =
            #"{"source":{"id":"load-web"},"session":{"id":"\#(session())"},"#
            + #""events":[{"type":"ping","options":{"save":false}}]}"#
        return Sending(request: Request("POST", "/track", body: Array(body.utf8)), markers: [])
    }

    private mutating func collected() -> Sending {
        let marker = marker()
        let with = random.chance(50) ? "/\(session())" : ""
        let own = with.isEmpty ? "" : #","own":true"#
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "key-\(marker)")]
        let voucher = random.chance(50) ? #","voucher":"\#(voucherID())""# : ""
        let body = Array(#"{"m":"\#(marker)","total":99\#(own)\#(voucher)}"#.utf8)
        return Sending(
            request: Request("POST", "/collect/order/load-crm\(with)", headers, body: body), markers: [marker]
        )
    }
}
