import Foundations

/// The events of one session in a batch, and the runs that they fall into.
struct VisitGroup {
    let session: Bytes
    let bucket: Int32
    /// The session's latest visit, as far as this server knows; 0: it does not.
    let number: Int32
    var events: [VisitEvent]
    private(set) var runs: [Range<Int>] = []

    init(_ event: VisitEvent, number: Int32) {
        session = event.session
        bucket = Identity.bucket(of: event.session)
        self.number = number
        events = [event]
    }

    /// When all are there.
    mutating func split(silence: Int64) {
        if zip(events, events.dropFirst()).contains(where: { $0.time > $1.time }) {
            events.sort { $0.time < $1.time }
        }
        runs = VisitRun.split(events.map(\.time), silence: silence)
    }

    var source: String { events[0].source.text }
    var profile: UUID? { events.lazy.compactMap(\.profile).first }
    var userAgent: Bytes { events.lazy.map(\.userAgent).first { $0.count > 0 } ?? .empty }
    var receivedAt: Timestamp { events.lazy.map(\.receivedAt).min() ?? events[0].receivedAt }
    var isLocked: Bool { events.contains(where: \.isLocked) }

    var question: VisitStore.Question {
        VisitStore.Question(
            bucket: bucket, session: session, first: events[0].time, last: events[events.count - 1].time)
    }

    func precedes(_ other: VisitGroup) -> Bool {
        bucket != other.bucket ? bucket < other.bucket : session.lexicographicallyPrecedes(other.session)
    }
}

extension PageFinder {
    /// What one run of a group comes to. The first page costs more to find than the last one.
    mutating func run(of group: VisitGroup, _ index: Int, wantsEntry: Bool) -> VisitRun {
        let events = group.events[group.runs[index]]
        var run = VisitRun(at: group.events[group.runs[index].lowerBound].time, events: events.count)
        run.last = group.events[group.runs[index].upperBound - 1].time
        run.exit = sighting(in: events.reversed(), best: >, wantsArrival: false)
        if wantsEntry, run.exit != nil { run.entry = sighting(in: events, best: <, wantsArrival: true) }
        return run
    }

    /// The first of the events that names a page; of those of the same moment, the best.
    private mutating func sighting(
        in events: some Collection<VisitEvent>, best: (VisitRun.Sighting, VisitRun.Sighting) -> Bool,
        wantsArrival: Bool
    ) -> VisitRun.Sighting? {
        var found: VisitRun.Sighting?
        for event in events {
            if let found, event.time != found.at { break }
            guard let page = page(of: event, wantsArrival: wantsArrival) else { continue }
            found = found.map { best(page, $0) ? page : $0 } ?? page
        }
        return found
    }
}
