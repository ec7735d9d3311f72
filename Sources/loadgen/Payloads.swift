import Foundations

/// Random requests: many different ones made before the start, into which the ids of a session and of the events are
/// written as they go out.
struct Payloads {
    private struct Template {
        var bytes: [UInt8]
        var session = 0
        var ids: [Int] = []
        /// Where the events say whose they are: the session's id again.
        var names: [Int] = []
    }

    private static let idLength = 36
    private var templates: [Template] = []
    private var sessions: [[UInt8]] = []
    private var left: [Int] = []
    private var sent = 0
    private let perSession: Int
    private var random: Random

    init(source: String, events: Int, ids: Bool, emails: Bool, perSession: Int, seed: UInt64) {
        random = Random(state: seed)
        self.perSession = perSession
        for _ in 0..<(events > 20 ? 64 : 512) {
            templates.append(Self.template(source: source, events: events, ids: ids, emails: emails, &random))
        }
        for _ in 0..<64 {
            sessions.append(Self.id(&random))
            left.append(perSession)
        }
    }

    /// The next request's bytes.
    mutating func next(_ body: (Bytes) -> Void) {
        let (i, s) = (sent % templates.count, sent % sessions.count)
        sent += 1
        if left[s] == 0 { (sessions[s], left[s]) = (Self.id(&random), perSession) }
        left[s] -= 1
        write(sessions[s], at: templates[i].session, of: i)
        for offset in templates[i].names { write(sessions[s], at: offset, of: i) }
        for offset in templates[i].ids { write(Self.id(&random), at: offset, of: i) }
        templates[i].bytes.withUnsafeBytes(body)
    }

    private mutating func write(_ id: [UInt8], at offset: Int, of template: Int) {
        templates[template].bytes.replaceSubrange(offset..<offset + Self.idLength, with: id)
    }

    // MARK: Making

    private static let products = ["Nike shoes", "Levi jeans", "Canon camera", "Bosch drill", "Oak table"]
    private static let types = [
        "page-view", "purchase-order", "add-to-cart", "sign-up", "search-query", "video-play",
    ]
    private static let cities = ["Berlin", "Warsaw", "Lisbon", "Oslo", "Osaka", "Toronto", "Nairobi", "Lima"]

    private static func template(
        source: String, events: Int, ids: Bool, emails: Bool, _ random: inout Random
    ) -> Template {
        let hole = String(repeating: "0", count: idLength)
        var body = #"{"source":{"id":"\#(source)"},"session":{"id":""#
        let session = body.utf8.count
        body += hole + #""},"context":\#(context(&random)),"events":["#
        var (offsets, names): ([Int], [Int]) = ([], [])
        for n in 0..<events {
            let type = random.pick(types)
            body += (n > 0 ? "," : "") + #"{"type":"\#(type)","#
            if ids {
                body += #""id":""#
                offsets.append(body.utf8.count)
                body += hole + #"","#
            }
            body += #""properties":{"#
            if emails, type == "sign-up" {
                body += #""email":""#
                names.append(body.utf8.count)
                body += hole + #"@example.com","#
            }
            body += properties(&random) + "}}"
        }
        body += "]}"
        let head =
            "POST /track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
            + "\(body.utf8.count)\r\n\r\n"
        let shift = head.utf8.count
        return Template(
            bytes: Array((head + body).utf8), session: session + shift, ids: offsets.map { $0 + shift },
            names: names.map { $0 + shift })
    }

    private static func properties(_ random: inout Random) -> String {
        """
        "product":"\(random.pick(products))","sku":"SKU-\(random.below(900_000) + 100_000)","quantity":\
        \(random.below(5) + 1),"price":\(random.below(500)).\(random.below(90) + 10),"currency":"EUR","url":\
        "https://shop.example.com/\(random.pick(cities))/item/\(random.below(99_999))?ref=newsletter","tags":\
        ["a\(random.below(9))","b\(random.below(9))"]
        """
    }

    private static func context(_ random: inout Random) -> String {
        """
        {"device":{"name":"iPhone \(random.below(15))"},"ip":"10.0.0.\(random.below(255))","locale":"en-US",\
        "resolution":"\(320 + random.below(900))x\(480 + random.below(900))","city":"\(random.pick(cities))"}
        """
    }

    private static func id(_ random: inout Random) -> [UInt8] {
        Array(UUID(random.next(), random.next(), version: 4).description.utf8)
    }
}

/// SplitMix64: small, fast, and the same numbers for the same seed.
struct Random {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func pick(_ list: [String]) -> String { list[below(list.count)] }

    /// Between 0 and 1, never 0.
    mutating func fraction() -> Double { (Double(next() >> 11) + 1) / Double(1 << 53) }
}
