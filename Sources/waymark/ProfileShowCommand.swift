import ArgumentParser
import Foundations
import Identity
import Postgres

struct ProfileShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show who somebody is, and what the person did.",
        discussion: """
            The person is asked for by any of its ids, by what it is known by, or by a session. First come traits, \
            identities and visits, then the last events, in the order in which they happened, by day and session, in \
            the time zone of the configuration. What was merged into the person is in it.

            EXAMPLES
              waymark profile show 0198c5f2-7b7e-8a3c-9d4e-5f60718293a4
              waymark profile show --email ada@example.org --limit 200
              waymark profile show --identity customer=4711 --json | jq '.events[].activity'
              waymark profile show --session 5b1e7c4e-1f0b-4b7e-8f7e-3f0b5b1e7c4e
            """)

    @Argument(help: ArgumentHelp("A profile's id, or one that was merged into it.", valueName: "ID"))
    var id: String?
    @Option(help: ArgumentHelp("Whose address this is.", valueName: "ADDRESS")) var email: String?
    @Option(help: ArgumentHelp("Who is known by this, such as customer=4711.", valueName: "KIND=VALUE"))
    var identity: String?
    @Option(help: ArgumentHelp("Whose session this is.", valueName: "ID")) var session: String?
    @Option(help: ArgumentHelp("How many events, the latest.", valueName: "NUMBER")) var limit = 50
    @Option(help: ArgumentHelp("Only what was before, as a page's end names it.", valueName: "CURSOR"))
    var before: String?
    @Flag(help: "Write JSON, with private traits and all properties.") var json = false
    @OptionGroup var file: ConfigurationOption

    /// What was asked for, in every form in which it may be kept.
    func keys(_ configuration: Configuration) -> [Person.Key] {
        if let id { return [UUID(id).map { .id($0) } ?? .identity(kind: IdentityKind.reserved, value: id)] }
        if let session { return [.session(session)] }
        guard let (name, value) = asked else { return [] }
        let known = configuration.identity.kinds.first { $0.name == name }
        let kind = known ?? IdentityKind(name, primaryKey: configuration.primaryKey)
        let normal = IdentityForm.normalize(value, kind.form, country: configuration.identity.country)
        return [normal, value].compactMap { $0.map { .identity(kind: name, value: $0) } }
    }

    private var asked: (kind: String, value: String)? {
        if let email { return ("email", email) }
        guard let parts = identity?.split(separator: "=", maxSplits: 1), parts.count == 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    func validate() throws {
        if [id, email, identity, session].count(where: { $0 != nil }) != 1 {
            throw ValidationError("say whom to show: one of ID, --email, --identity or --session")
        }
        if identity != nil, asked == nil {
            throw ValidationError("--identity wants KIND=VALUE, such as customer=4711")
        }
        if !(1...10_000).contains(limit) { throw ValidationError("--limit wants a number from 1 to 10000") }
        if let before, Timeline.Cursor(before) == nil {
            throw ValidationError("--before wants what a page's end names, such as \"1790000000000000.ID\"")
        }
    }

    func run() throws {
        let configuration = try file.read().configuration
        let connection = try file.connect("profile show")
        defer { connection.close() }
        guard let person = try find(configuration, connection) else {
            printError("waymark: nobody is known by that")
            throw ExitCode.failure
        }
        let timeline = try Timeline.read(
            of: person.ids, before: before.flatMap { Timeline.Cursor($0) }, limit: limit,
            now: Clock.system.now(), connection)
        let page = ProfilePage(
            person: person, visits: try visits(person, timeline, connection), timeline: timeline,
            zone: Zone(configuration.timezone) ?? .utc)
        if json { return print(page.json) }
        for line in page.lines { print(line.printable) }
    }

    private func find(
        _ configuration: Configuration, _ connection: Connection
    ) throws(PostgresError) -> Person? {
        for key in keys(configuration) {
            if let person = try Person.find(key, connection) { return person }
        }
        return nil
    }

    /// Those that the events may belong to.
    private func visits(
        _ person: Person, _ timeline: Timeline, _ connection: Connection
    ) throws(PostgresError) -> [PersonVisit] {
        let end = before == nil ? nil : timeline.events.first?.time.adding(microseconds: 1)
        return try PersonVisit.read(of: person.ids, before: end, limit: max(limit, 10), connection)
    }
}
