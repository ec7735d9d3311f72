import ArgumentParser
import ConfigurationFile
import Enrolments
import Foundations
import Payload
import Postgres

struct SegmentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segments", abstract: "Count and list who is in a segment.",
        discussion: """
            Profiles are asked as they are now; the segments are those that were applied. What a condition wants of \
            attributes is told by SQL first, so that those who have nothing of it need not be asked.

            EXAMPLES
              waymark segments count in_canada
              waymark segments list in_canada --limit 1000
            """,
        subcommands: [SegmentsCountCommand.self, SegmentsListCommand.self])
}

struct SegmentsCountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count", abstract: "How many are in a segment.",
        discussion: """
            EXAMPLES
              waymark segments count in_canada
              waymark segments count in_canada --json
            """)

    @Argument(help: ArgumentHelp("The segment.", valueName: "NAME")) var name: String
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let answer = try members(of: name, most: nil, after: nil, file)
        if json {
            var json = JSONWriter()
            json.object { json in
                json.member("count", answer.count)
                json.member("unknown", answer.unknown)
                json.member("asked", answer.asked)
                json.member("profiles", answer.profiles)
            }
            return print(json.text)
        }
        let unknown = answer.unknown == 0 ? "" : "; for \(answer.unknown) it is unknown"
        print("\(answer.count) of \(counted(answer.profiles, "profile"))\(unknown)")
    }
}

struct SegmentsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Who is in a segment.",
        discussion: """
            An id a line. With as many as were asked for, the last one is where the next page begins.

            EXAMPLES
              waymark segments list in_canada
              waymark segments list in_canada --limit 1000 --after 0198c5f2-7b7e-8a3c-9d4e-5f60718293a4
            """)

    @Argument(help: ArgumentHelp("The segment.", valueName: "NAME")) var name: String
    @Option(help: ArgumentHelp("At most so many.", valueName: "NUMBER")) var limit = 100
    @Option(help: ArgumentHelp("Only those after this one.", valueName: "ID")) var after: String?
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 1...1_000_000 ~= limit else { throw ValidationError("--limit is 1 to 1000000") }
        if let after, UUID(after) == nil { throw ValidationError("--after wants a profile's id") }
    }

    func run() throws {
        let answer = try members(of: name, most: limit, after: after.flatMap { UUID($0) }, file)
        let next = answer.members.count == limit ? answer.members.last : nil
        if json {
            var json = JSONWriter()
            json.object { json in
                json.member("items", answer.members.map { "\($0)" })
                json.member("next", next.map { "\($0)" })
            }
            return print(json.text)
        }
        for id in answer.members { print(id) }
    }
}

private func members(
    of name: String, most: Int?, after: UUID?, _ file: ConfigurationOption
) throws -> SegmentReading.Answer {
    let setting = RulesInForce.Setting(try file.read().configuration)
    let answer = try inDatabase(file, "segments") { connection throws(PostgresError) in
        let rules = try RulesInForce.read(setting, connection)
        return try SegmentReading.members(
            of: name, with: rules, at: Clock.system.now(), most: most, after: after, connection)
    }
    guard let answer else { throw failure("there is no segment \(name); apply it first") }
    return answer
}
