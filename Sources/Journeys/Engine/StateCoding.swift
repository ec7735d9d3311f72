import Foundations
import Payload

// The state of a person as JSON text, for the rows of enrolment and memory. Moments are microseconds since 1970. The
// entry's properties are embedded byte for byte: keep the text as `json`, `text` or `bytea`, never as `jsonb`.

extension Enrolment {
    package var encoded: [UInt8] {
        var json = JSONWriter(capacity: 256 + (entry?.properties.count ?? 0))
        json.object { json in
            json.member("id", id)
            json.member("journey", journey)
            json.member("version", version)
            switch subject {
            case .profile(let id): json.member("profile", id)
            case .event(let id): json.member("event", id)
            }
            json.member("key", key)
            json.member("n", n)
            json.member("started", known: startedAt)
            json.member("last_start", known: lastStart)
            json.member("enrolled", known: enrolledAt)
            json.member("phase", phase.rawValue)
            json.member("step", step)
            json.member("due", known: due)
            json.member("until", known: until)
            json.member("base", known: base)
            json.member("fired_until", known: firedUntil)
            json.member("goal_until", known: goalUntil)
            json.member("goal_reached", known: goalReachedAt)
            json.member("ended", known: endedAt)
            json.member("open_until", known: openUntil)
            if let reason { json.member("reason", reason) }
            if isDisprovedLate { json.member("disproved_late", true) }
            if isControl { json.member("control", true) }
            if isShadow { json.member("shadow", true) }
            if let entry { json.object("entry") { entry.encode(to: &$0) } }
        }
        return Array(json.bytes)
    }

    /// Nil: this is no enrolment's text.
    package init?(encoded: [UInt8]) {
        let reading = Reading(encoded)
        defer { withExtendedLifetime(reading) {} }
        let node = reading.root
        guard let id = node.id("id"), let journey = node.string("journey"),
            let version = node.string("version"),
            let key = node.string("key"), let n = node.integer("n"), let started = node.moment("started"),
            let enrolled = node.moment("enrolled"),
            let phase = node.string("phase").flatMap(Phase.init(rawValue:)), let step = node.string("step"),
            let subject = node.id("profile").map(Subject.profile) ?? node.id("event").map(Subject.event)
        else { return nil }
        self.init(
            id: id, journey: journey, version: version, subject: subject, key: key, n: n, startedAt: started,
            enrolledAt: enrolled, entry: node.member("entry").flatMap { Occurrence($0) })
        lastStart = node.moment("last_start")
        self.phase = phase
        path = step.split(separator: ".").compactMap { Int($0) }
        if path.count % 2 == 0 { return nil }
        (due, until, base) = (node.moment("due"), node.moment("until"), node.moment("base"))
        firedUntil = node.moment("fired_until")
        (goalUntil, goalReachedAt) = (node.moment("goal_until"), node.moment("goal_reached"))
        (endedAt, openUntil) = (node.moment("ended"), node.moment("open_until"))
        reason = node.string("reason")
        isDisprovedLate = node.member("disproved_late")?.kind == .true
        isControl = node.member("control")?.kind == .true
        isShadow = node.member("shadow")?.kind == .true
    }
}

extension Occurrence {
    fileprivate func encode(to json: inout JSONWriter) {
        json.member("id", id)
        json.member("activity", activity)
        if label != activity { json.member("label", label) }
        json.member("source", source)
        json.member("time", known: time)
        json.member("received", known: received)
        json.member("seen", known: seen)
        if step > 0 { json.member("step", Int(step)) }
        if !properties.isEmpty { properties.withUnsafeBytes { json.member("properties", json: $0) } }
    }

    fileprivate init?(_ node: JSONNode) {
        guard let id = node.id("id"), let activity = node.string("activity"), let time = node.moment("time"),
            let received = node.moment("received")
        else { return nil }
        self.init(
            id: id, activity: activity, label: node.string("label"), source: node.string("source") ?? "",
            time: time, received: received,
            properties: node.member("properties").map { Array($0.bytes) } ?? [], seen: node.moment("seen"),
            step: Int64(node.integer("step") ?? 0))
    }
}

extension Withheld {
    package var encoded: [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("journey", journey)
            json.member("clock", known: clock)
            switch cause {
            case .event(let occurrence): json.object("event") { occurrence.encode(to: &$0) }
            case .entered(let time): json.member("entered", known: time)
            case .timer(let enrolment):
                enrolment.encoded.withUnsafeBytes { json.member("timer", json: $0) }
            }
        }
        return Array(json.bytes)
    }

    /// Nil: this is not the text of anything withheld.
    package init?(encoded: [UInt8]) {
        let reading = Reading(encoded)
        defer { withExtendedLifetime(reading) {} }
        let node = reading.root
        guard let journey = node.string("journey"), let clock = node.moment("clock") else { return nil }
        let cause: Cause
        if let occurrence = node.member("event").flatMap({ Occurrence($0) }) {
            cause = .event(occurrence)
        } else if let time = node.moment("entered") {
            cause = .entered(time)
        } else if let timer = node.member("timer").flatMap({ Enrolment(encoded: Array($0.bytes)) }) {
            cause = .timer(timer)
        } else {
            return nil
        }
        self.init(journey: journey, cause: cause, clock: clock)
    }
}

extension Memory {
    package var encoded: [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            if !evidence.isEmpty { json.object("evidence") { encodeEvidence(to: &$0) } }
            if !scores.isEmpty { json.object("scores") { encodeScores(to: &$0) } }
            if !segments.isEmpty {
                json.object("segments") { json in
                    for (name, one) in segments.sorted(by: { $0.key < $1.key }) {
                        json.object(name) { json in
                            json.member("in", one.isIn)
                            json.member("at", known: one.at)
                            json.member("next", known: one.next)
                        }
                    }
                }
            }
            if !sent.isEmpty {
                json.object("sent") { json in
                    for (name, times) in sent.sorted(by: { $0.key < $1.key }) {
                        json.array(name) { json in for time in times { json.element(Int(time.microseconds)) }
                        }
                    }
                }
            }
            if !parked.isEmpty { json.array("parked") { encodeParked(to: &$0) } }
            json.member("review", known: review)
        }
        return Array(json.bytes)
    }

    private func encodeEvidence(to json: inout JSONWriter) {
        for (name, list) in evidence.sorted(by: { $0.key < $1.key }) {
            json.array(name) { json in
                for one in list {
                    json.element { json in
                        json.member("id", one.id)
                        json.member("time", known: one.time)
                        json.array("parts") { json in for part in one.parts { json.element(part) } }
                    }
                }
            }
        }
    }

    private func encodeScores(to json: inout JSONWriter) {
        for (name, score) in scores.sorted(by: { $0.key < $1.key }) {
            json.object(name) { json in
                json.member("version", score.version)
                json.member("at", known: score.at)
                if let band = score.band { json.member("band", band) }
                if score.known.microseconds > 0 { json.member("known", known: score.known) }
                if score.step > 0 { json.member("step", Int(score.step)) }
                // For each rule: moment, count, moment, count, …
                json.array("counts") { json in
                    for rule in score.counts {
                        json.list { json in
                            for count in rule {
                                json.element(Int(count.time.microseconds))
                                json.element(count.count)
                            }
                        }
                    }
                }
            }
        }
    }

    private func encodeParked(to json: inout JSONWriter) {
        for one in parked {
            json.element { json in
                json.member("journey", one.journey)
                json.member("clock", known: one.clock)
                if one.step > 0 { json.member("step", Int(one.step)) }
                if one.startsNothing { json.member("starts_nothing", true) }
                json.member("sees", known: one.sees)
                switch one.cause {
                case .event(let occurrence): json.object("event") { occurrence.encode(to: &$0) }
                case .entered(let time, let clock):
                    json.member("entered", known: time)
                    json.member("entered_clock", known: clock)
                }
            }
        }
    }

    /// Nothing is an empty memory; nil: this is no memory's text.
    package init?(encoded: [UInt8]) {
        self.init()
        if encoded.isEmpty { return }
        let reading = Reading(encoded)
        defer { withExtendedLifetime(reading) {} }
        let node = reading.root
        guard node.kind == .object else { return nil }
        review = node.moment("review")
        for (name, list) in node.members(of: "evidence") {
            evidence[name] = list.elements.compactMap { one in
                guard let id = one.id("id"), let time = one.moment("time"), let parts = one.member("parts")
                else {
                    return nil
                }
                return Evidence(parts: parts.elements.compactMap { $0.integer }, time: time, id: id)
            }
        }
        for (name, one) in node.members(of: "scores") { scores[name] = Score(one) }
        for (name, one) in node.members(of: "segments") {
            guard let isIn = one.member("in")?.kind, let at = one.moment("at") else { continue }
            segments[name] = Membership(isIn: isIn == .true, at: at, next: one.moment("next"))
        }
        for (name, times) in node.members(of: "sent") { sent[name] = times.elements.compactMap { $0.moment } }
        for one in node.list("parked") {
            guard let journey = one.string("journey"), let clock = one.moment("clock") else { return nil }
            let step = Int64(one.integer("step") ?? 0)
            if let event = one.member("event").flatMap({ Occurrence($0) }) {
                parked.append(
                    Parked(
                        journey: journey, cause: .event(event), clock: clock, step: step,
                        startsNothing: one.member("starts_nothing")?.kind == .true,
                        sees: one.moment("sees")))
            } else if let time = one.moment("entered"), let seen = one.moment("entered_clock") {
                parked.append(
                    Parked(
                        journey: journey, cause: .entered(time: time, clock: seen), clock: clock, step: step)
                )
            }
        }
    }
}

extension Memory.Score {
    fileprivate init?(_ node: JSONNode) {
        guard let version = node.string("version"), let at = node.moment("at") else { return nil }
        let counts = node.list("counts").map { rule -> [Count] in
            let numbers = rule.elements.compactMap { $0.integer }
            return stride(from: 0, to: numbers.count - 1, by: 2).map {
                Count(time: Timestamp(microseconds: Int64(numbers[$0])), count: numbers[$0 + 1])
            }
        }
        self.init(version: version, counts: counts, band: node.string("band"), at: at)
        known = node.moment("known") ?? known
        step = Int64(node.integer("step") ?? 0)
    }
}

// MARK: - Helpers

extension JSONWriter {
    /// Nothing where there is none.
    fileprivate mutating func member(_ name: String, known time: Timestamp?) {
        if let time { member(name, Int(time.microseconds)) }
    }

    fileprivate mutating func element(_ body: (inout JSONWriter) -> Void) { object(body) }
    fileprivate mutating func list(_ body: (inout JSONWriter) -> Void) { array(body) }
}

extension JSONNode {
    fileprivate func list(_ name: StaticString) -> [JSONNode] {
        member(name).map { Array($0.elements) } ?? []
    }

    fileprivate func string(_ name: StaticString) -> String? {
        guard let node = member(name), node.kind == .string else { return nil }
        return node.string
    }

    private var string: String {
        var buffer = ByteBuffer(capacity: contents.count)
        appendText(to: &buffer)
        return buffer.bytes.text
    }

    fileprivate func id(_ name: StaticString) -> UUID? { string(name).flatMap { UUID($0) } }
    fileprivate var integer: Int? { Operand(self).number?.integer }
    fileprivate func integer(_ name: StaticString) -> Int? { member(name)?.integer }
    fileprivate var moment: Timestamp? { integer.map { Timestamp(microseconds: Int64($0)) } }
    fileprivate func moment(_ name: StaticString) -> Timestamp? { member(name)?.moment }

    fileprivate func members(of name: StaticString) -> [(String, JSONNode)] {
        var found: [(String, JSONNode)] = []
        guard let node = member(name) else { return found }
        for (key, value) in node.members { found.append((key.string, value)) }
        return found
    }
}
