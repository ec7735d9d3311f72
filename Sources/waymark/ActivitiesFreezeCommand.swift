import Activities
import ArgumentParser
import Foundations
import Postgres

extension Freeze.Extra: ExpressibleByArgument {}

struct ActivitiesFreezeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze", abstract: "Hold an activity to what is known of it now.",
        discussion: """
            From then on an event that does not fit goes into the quarantine, with what was expected and found and the \
            nearest known name. A parameter that is not known counts as a misfit too, or is dropped from the event, \
            with --extra drop. It takes effect on all servers within 2 seconds. Freezing again takes what is known by \
            then.

            EXAMPLES
              waymark activities freeze product-purchase
              waymark activities freeze product-purchase --extra drop
              waymark quarantine list --reason frozen
            """)

    @OptionGroup var activity: ActivityArgument
    @Option(
        help: ArgumentHelp(
            "What becomes of unknown parameters: quarantine the event, or drop them.", valueName: "WHAT"))
    var extra = Freeze.Extra.quarantine
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("activities freeze")
        defer { connection.close() }
        let key = try activity.key(connection)
        guard let open = try freeze(key, connection) else {
            printError(
                "waymark: \(key.printable) cannot be frozen: nothing is known of it, or it is the server's own"
            )
            throw ExitCode.failure
        }
        print("\(key.printable) is frozen; unknown parameters: \(extra.rawValue)")
        for path in open {
            printError("waymark: any name fits in \(path.printable): there are more than are kept")
        }
    }

    private func freeze(_ key: String, _ connection: Connection) throws -> [String]? {
        do {
            return try Freezing.freeze(key, extra: extra, now: Clock.system.now(), connection)
        } catch let error as Freezing.TooManyParameters {
            printError("waymark: \(key.printable) cannot be frozen: \(error)")
            throw ExitCode.failure
        }
    }
}

struct ActivitiesUnfreezeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unfreeze", abstract: "Take whatever an activity's events carry again.",
        discussion: """
            It takes effect on all servers within 2 seconds. What went into the quarantine meanwhile can be replayed.

            EXAMPLES
              waymark activities unfreeze product-purchase
              waymark quarantine replay --reason frozen --activity product-purchase
            """)

    @OptionGroup var activity: ActivityArgument
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("activities unfreeze")
        defer { connection.close() }
        let key = try activity.key(connection)
        guard try Freezing.unfreeze(key, connection) else { throw ExitCode.failure }
        print("\(key.printable) is not frozen")
    }
}
