import Foundations

extension Limits {
    static let keys = [
        "body", "head", "events", "depth", "connections", "memory", "head_timeout", "body_timeout",
        "minimum_rate", "idle_timeout", "spool", "retain", "retain_bytes", "activities", "address_rate",
    ]

    /// Reads `limits`.
    init(_ section: Section) {
        self.init()
        let second: Int64 = 1_000_000
        body = section.size("body", in: 1 << 10...32 << 20) ?? body
        head = section.size("head", in: 1 << 10...1 << 20) ?? head
        events = section.number("events", in: 1...1_000_000) ?? events
        depth = section.number("depth", in: 1...10_000) ?? depth
        connections = section.number("connections", in: 1...1_000_000) ?? connections
        memory = section.size("memory", in: 1 << 20...1 << 40) ?? memory
        headTimeout = section.duration("head_timeout", in: 100_000...3600 * second) ?? headTimeout
        bodyTimeout = section.duration("body_timeout", in: 100_000...3600 * second) ?? bodyTimeout
        minimumRate = section.size("minimum_rate", in: 0...1 << 30) ?? minimumRate
        idleTimeout = section.duration("idle_timeout", in: 100_000...86_400 * second) ?? idleTimeout
        spool = section.size("spool", in: 1 << 20...1 << 50) ?? spool
        retain = section.duration("retain", in: 0...366 * 86_400 * second) ?? retain
        retainBytes = section.size("retain_bytes", in: 0...1 << 50) ?? retainBytes
        activities = section.number("activities", in: 0...100_000) ?? activities
        addressRate = section.rate("address_rate")
        compare(section)
    }

    /// Limits that contradict each other.
    private func compare(_ section: Section) {
        if body > memory {
            let problem =
                "limits.memory is smaller than limits.body: the largest body could never be received"
            let expected = "at least \(body.sizeText)"
            let place = section.place(of: section.has("memory") ? "memory" : "body")
            section.findings.add(Mistake(place, problem, expected: expected, found: memory.sizeText))
        }
        // A segment is a quarter of a small spool, and a request must fit into one with room to spare.
        if spool < 8 * body {
            let problem = "limits.spool is too small for limits.body: the largest body could never be written"
            let place = section.place(of: section.has("spool") ? "spool" : "body")
            let expected = "at least \((8 * body).sizeText)"
            section.findings.add(Mistake(place, problem, expected: expected, found: spool.sizeText))
        }
    }
}
