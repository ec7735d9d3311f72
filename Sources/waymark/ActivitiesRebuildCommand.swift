import Activities
import ArgumentParser
import Foundations
import Postgres

struct ActivitiesRebuildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Learn everything anew from the events that are stored.",
        discussion: """
            Activities keep their ids, their histories and what they are frozen to; views keep their columns. Servers \
            may run meanwhile: nothing is counted twice, and nothing is lost. It reads all events once.

            EXAMPLE
              waymark activities rebuild
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.read().configuration
        let reading = try file.connect("activities rebuild")
        defer { reading.close() }
        let writing = try file.connect("activities rebuild")
        defer { writing.close() }
        let rebuild = CatalogueRebuild(reading: reading, writing: writing)
        let limit = max(configuration.limits.activities, 1)
        let result = try rebuild.run(activities: limit, now: Clock.system.now()) { events in
            if Table.terminalWidth != nil { printError("\(events) events …") }
        }
        print("learnt from \(result.events) events of \(result.activities) activities")
        for (source, overflow) in result.overflows {
            printError(
                "waymark: no room for \(overflow.events) events of \(source.printable) (limits.activities)")
        }
    }
}
