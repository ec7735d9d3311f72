import ArgumentParser
import Foundations
import Postgres
import Webhooks

struct WebhookEnableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Send to a webhook again that was paused or disabled.",
        discussion: """
            What waits for it goes out now, in the order in which it was queued; what was tried a moment ago, or is on \
            its way, within a minute. What failed for good is not touched: `replay` sends that.

            EXAMPLE
              waymark webhook enable call_centre
            """)

    @Argument(help: ArgumentHelp("The webhook.", valueName: "NAME")) var name: String
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("webhook enable")
        defer { connection.close() }
        do throws(PostgresError) {
            guard try WebhookStore.enable(name, at: Clock.system.now(), connection) else {
                throw PostgresError(.server, "there is no webhook \(name)", context: "enabling")
            }
        } catch {
            throw error.sqlstate.isEmpty ? failure(error.message) : failure(error)
        }
        print("webhook \(name) is enabled")
    }
}

struct WebhookReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send deliveries again, with the same ids and bytes.",
        discussion: """
            Of a webhook: those that failed for good in the last --since, up to 14 days. A single delivery by its id, \
            whatever became of it; one that went out in a batch goes out with its batch, which is sent unchanged.

            EXAMPLES
              waymark webhook replay call_centre --since 2d
              waymark webhook replay 019e2f4a-7c11-5a35-9f0c-3f5d0c9f6a21

            EXIT STATUS
              1 if there was nothing to replay.
            """)

    @Argument(help: ArgumentHelp("A webhook, or the id of a delivery.", valueName: "NAME|DELIVERY"))
    var what: String
    @Option(
        help: ArgumentHelp("Of a webhook: only what failed in the last so long.", valueName: "DURATION"),
        transform: QuarantineSelection.duration)
    var since: Int64 = 14 * 86_400_000_000
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("webhook replay")
        defer { connection.close() }
        let now = Clock.system.now()
        let count: Int
        do throws(PostgresError) {
            if let id = UUID(what) {
                count = try WebhookStore.replay(id, at: now, connection)
            } else {
                guard try WebhookStore.find(what, connection) != nil else {
                    throw PostgresError(.server, "there is no webhook \(what)", context: "replaying")
                }
                count = try WebhookStore.replay(
                    what, since: now.adding(microseconds: -since), at: now, connection)
            }
        } catch {
            throw error.sqlstate.isEmpty ? failure(error.message) : failure(error)
        }
        if count == 0 { throw failure("there is nothing to replay") }
        print("\(count) deliver\(count == 1 ? "y is" : "ies are") queued again")
    }
}
