import Foundations
import Identity
import Payload

/// A person as people want to read about it: who it is, when it came and on what, and what it did.
struct ProfilePage {
    let person: Person
    /// The latest first.
    let visits: [PersonVisit]
    let timeline: Timeline
    let zone: Zone

    private static let listedVisits = 10

    var lines: [String] { who + visitLines + eventLines + end }

    // MARK: Who

    private var who: [String] {
        let summary = person.summary
        let known = person.identities.first.map(\.value)
        var lines = [Self.name(summary.traits) ?? known ?? "An anonymous visitor"]
        lines.append(fact("profile", summary.id.description))
        for identity in person.identities.prefix(20) {
            lines.append(fact(identity.kind, "\(identity.value)  since \(day(identity.since))"))
        }
        if person.identities.count > 20 { lines.append(fact("", "and \(person.identities.count - 20) more")) }
        for (name, value) in ShortProperties.all(of: summary.traits) { lines.append(fact(name, value)) }
        lines.append(fact("first seen", "\(day(summary.createdAt)) \(clock(summary.createdAt))"))
        lines.append(
            fact("last seen", "\(day(summary.lastSeenAt)) \(clock(summary.lastSeenAt))  (\(zone.name))"))
        for alias in person.aliases.prefix(5) {
            lines.append(fact("merged", "\(alias.id)  on \(day(alias.since))"))
        }
        // The aliases are a page of them; the ids are all, the own one among them.
        if person.ids.count > 6 { lines.append(fact("", "and \(person.ids.count - 6) other ids")) }
        return lines
    }

    /// What to call the person, if the traits say it.
    private static func name(_ traits: [UInt8]) -> String? {
        let found = Dictionary(ShortProperties.all(of: traits)) { first, _ in first }
        if let name = found["name"] ?? found["full_name"] { return name }
        let parts = [
            found["first_name"] ?? found["firstname"], found["last_name"] ?? found["lastname"],
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    private func fact(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(14 - name.count, 1)) + value
    }

    // MARK: Visits

    private var visitLines: [String] {
        if visits.isEmpty { return [] }
        let listed = visits.prefix(Self.listedVisits).map { visit in
            let state =
                visit.endedAt == nil ? "goes on" : Self.duration(from: visit.startedAt, to: visit.lastAt)
            let parts = [
                "\(day(visit.startedAt)) \(clock(visit.startedAt))", state, Self.count(visit.events, "event"),
                visit.platform, visit.origin, visit.pages,
            ]
            return "  " + parts.compactMap { $0 }.joined(separator: " · ")
        }
        return ["", "Visits"] + listed
    }

    // MARK: Events

    /// In the order in which they happened, with a heading for each day, and for each change of the session.
    private var eventLines: [String] {
        var lines: [String] = []
        var (lastDay, lastSession) = (Int64.min, "")
        for event in inOrder {
            let local = zone.local(event.time)
            if local.day != lastDay {
                lines += ["", longDay(local)]
                (lastDay, lastSession) = (local.day, "")
            }
            let session = event.session ?? "without a session"
            if session != lastSession {
                lines.append("  \(heading(event))")
                lastSession = session
            }
            let label = event.label + String(repeating: " ", count: max(24 - event.label.columns, 1))
            let line = "    \(clock(event.time, seconds: true))  \(label)\(facts(event))"
            lines.append(String(line.reversed().drop { $0 == " " }.reversed()))
        }
        return lines
    }

    /// The oldest first; of what has the same time, a session's start comes before its events, and its end behind.
    private var inOrder: [Timeline.Event] {
        func rank(_ event: Timeline.Event) -> Int {
            event.activity == "session.start" ? 0 : event.activity == "session.end" ? 2 : 1
        }
        return timeline.events.reversed().enumerated()
            .sorted {
                ($0.element.time, rank($0.element), $0.offset) < (
                    $1.element.time, rank($1.element), $1.offset
                )
            }
            .map(\.element)
    }

    private func heading(_ event: Timeline.Event) -> String {
        guard let session = event.session else { return event.source }
        let visit = visits.first {
            $0.session == session && $0.startedAt <= event.time && event.time <= $0.lastAt
        }
        let parts = [visit?.source ?? event.source, visit?.platform, visit?.origin, "session \(session)"]
        return parts.compactMap { $0 }.joined(separator: " · ")
    }

    private func facts(_ event: Timeline.Event) -> String {
        if event.source == "@waymark" { return ownFacts(event) }
        let parts = [event.page.map(ShortProperties.path) ?? "", ShortProperties.text(of: event.properties)]
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// Of what the server made: what the headings do not say already.
    private func ownFacts(_ event: Timeline.Event) -> String {
        let found = Dictionary(ShortProperties.all(of: event.properties)) { first, _ in first }
        guard event.activity == "session.end" else { return found["entry_page"] ?? "" }
        let seconds = found["seconds"].flatMap { Int64($0) } ?? 0
        let parts = [
            Self.duration(from: Timestamp(seconds: 0), to: Timestamp(seconds: seconds)),
            found["events"].flatMap { Int($0) }.map { Self.count($0, "event") }, found["exit_page"],
        ]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }

    private var end: [String] {
        if timeline.events.isEmpty { return ["", "No events."] }
        guard let next = timeline.next else { return [] }
        return ["", "What was before: waymark profile show \(person.id) --before \(next)"]
    }

    // MARK: Times

    private func clock(_ time: Timestamp, seconds: Bool = false) -> String {
        let second = zone.local(time).secondOfDay
        let parts = [second / 3600, second / 60 % 60] + (seconds ? [second % 60] : [])
        return parts.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    private func day(_ time: Timestamp) -> String { zone.local(time).date.description }

    private static let weekdays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ]

    private func longDay(_ local: LocalTime) -> String {
        let date = local.date
        return "\(Self.weekdays[local.weekday]), \(date.day) \(Self.months[date.month - 1]) \(date.year)"
    }

    static func duration(from start: Timestamp, to end: Timestamp) -> String {
        let seconds = max(0, (end.microseconds - start.microseconds) / 1_000_000)
        if seconds < 60 { return "\(seconds) s" }
        if seconds < 3600 { return "\(seconds / 60) min" }
        return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

extension PersonVisit {
    /// `phone, iOS, Safari 17.4`, or the program's name.
    var platform: String? {
        if let bot { return "bot \(bot)" }
        let parts = [
            device, os, browser.map { [$0, browserVersion].compactMap { $0 }.joined(separator: " ") },
        ]
        let known = parts.compactMap { $0 }
        return known.isEmpty ? nil : known.joined(separator: ", ")
    }

    /// The campaign, else the page before.
    var origin: String? {
        let utm = campaign.filter { $0.name.hasPrefix("utm_") }.map(\.value)
        let click = campaign.first { $0.name == "click_source" }?.value
        if !utm.isEmpty || click != nil {
            return "campaign " + (utm + (click.map { [$0] } ?? [])).joined(separator: " / ")
        }
        return referrer.map { "from \($0)" }
    }

    /// `/sale → /cart`
    var pages: String? {
        guard let entryPage else { return nil }
        let entry = ShortProperties.path(entryPage)
        guard let exitPage, exitPage != entryPage else { return entry }
        return "\(entry) → \(ShortProperties.path(exitPage))"
    }
}
