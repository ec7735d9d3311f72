import Foundations

/// Random requests: many different ones made before the start, into which the ids of a session and of the events are
/// written as they go out.
struct Payloads {
    private struct Template {
        var bytes: [UInt8] = []
        var session = 0
        var ids: [Int] = []
        /// Where the events say whose they are: the session's id again.
        var names: [Int] = []
        /// Where the events' marks and the four digits of their activities are written.
        var marks: [Int] = []
        var hooks: [Int] = []

        /// Puts the request's head before a body in which the offsets were noted.
        mutating func complete(with body: String) {
            let head =
                "POST /track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                + "\(body.utf8.count)\r\n\r\n"
            let shift = head.utf8.count
            bytes = Array((head + body).utf8)
            session += shift
            (ids, names) = (ids.map { $0 + shift }, names.map { $0 + shift })
            (marks, hooks) = (marks.map { $0 + shift }, hooks.map { $0 + shift })
        }
    }

    /// What the events are like.
    struct Kind {
        var source = "bench"
        /// Events a request.
        var events = 1
        /// Each has an id.
        var ids = false
        /// Sign-ups name their person.
        var emails = false
        /// Of the activities `hook-0000`, … in turn, each event with a mark; 0: of everyday ones, without.
        var hooks = 0
        /// Every so manieth event is of `hook-0000` besides.
        var favour: Int?

        /// The activity of an event.
        func hook(of mark: Int) -> Int {
            if let favour, mark % favour == 0 { return 0 }
            return hooks > 0 ? mark % hooks : 0
        }
    }

    private static let idLength = 36
    private var templates: [Template] = []
    private var sessions: [[UInt8]] = []
    private var left: [Int] = []
    private var sent = 0
    private let perSession: Int
    private let kind: Kind
    private var random: Random
    /// The number of the next event.
    private(set) var mark = 0

    init(_ kind: Kind, perSession: Int, seed: UInt64) {
        random = Random(state: seed)
        self.perSession = perSession
        self.kind = kind
        for _ in 0..<(kind.events > 20 ? 64 : 512) { templates.append(Self.template(kind, &random)) }
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
        for (hook, offset) in zip(templates[i].hooks, templates[i].marks) {
            write(Self.digits(kind.hook(of: mark), 4), at: hook, of: i)
            write(Self.digits(mark, HookTimes.digits), at: offset, of: i)
            mark += 1
        }
        templates[i].bytes.withUnsafeBytes(body)
    }

    private static func digits(_ number: Int, _ count: Int) -> [UInt8] {
        var (digits, rest) = ([UInt8](repeating: 48, count: count), number)
        for i in digits.indices.reversed() { (digits[i], rest) = (48 + UInt8(rest % 10), rest / 10) }
        return digits
    }

    private mutating func write(_ id: [UInt8], at offset: Int, of template: Int) {
        templates[template].bytes.replaceSubrange(offset..<offset + id.count, with: id)
    }

    // MARK: Making

    private static let products = ["Nike shoes", "Levi jeans", "Canon camera", "Bosch drill", "Oak table"]
    private static let types = [
        "page-view", "purchase-order", "add-to-cart", "sign-up", "search-query", "video-play",
    ]
    private static let cities = ["Berlin", "Warsaw", "Lisbon", "Oslo", "Osaka", "Toronto", "Nairobi", "Lima"]

    private static func template(_ kind: Kind, _ random: inout Random) -> Template {
        let hole = String(repeating: "0", count: idLength)
        var template = Template()
        var body = #"{"source":{"id":"\#(kind.source)"},"session":{"id":""#
        template.session = body.utf8.count
        body += hole + #""},"context":\#(context(&random)),"events":["#
        for n in 0..<kind.events {
            let type = kind.hooks > 0 ? "hook-0000" : random.pick(types)
            body += (n > 0 ? "," : "") + #"{"type":"\#(type)","#
            if kind.hooks > 0 { template.hooks.append(body.utf8.count - 6) }
            if kind.ids {
                body += #""id":""#
                template.ids.append(body.utf8.count)
                body += hole + #"","#
            }
            body += #""properties":{"#
            if kind.hooks > 0 {
                body += #""mark":"mark-"#
                template.marks.append(body.utf8.count)
                body += String(repeating: "0", count: HookTimes.digits) + #"","#
            }
            if kind.emails, type == "sign-up" {
                body += #""email":""#
                template.names.append(body.utf8.count)
                body += hole + #"@example.com","#
            }
            body += properties(&random) + "}}"
        }
        template.complete(with: body + "]}")
        return template
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
