import ArgumentParser
import Foundations
import Postgres
import Webhooks

struct WebhookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhook", abstract: "Where deliveries go: how webhooks fare, and how to mend them.",
        discussion: """
            docs/webhooks.md is for the people who receive: body, headers, retries, verifying.

            EXAMPLES
              waymark webhook list
              waymark webhook test call_centre
              waymark webhook enable call_centre && waymark webhook replay call_centre --since 2d
              waymark webhook receive --port 9000
            """,
        subcommands: [
            WebhookListCommand.self, WebhookTestCommand.self, WebhookEnableCommand.self,
            WebhookReplayCommand.self,
            WebhookReceiveCommand.self,
        ])
}

/// Ends a command with 1 and a reason.
func failure(_ text: String) -> ExitCode {
    printError("waymark: \(text)")
    return .failure
}

/// The same for a name that there is not, with the nearest one that there is.
func failure(_ text: String, _ name: String, among names: [String]) -> ExitCode {
    let near = nearest(to: name, among: names.sorted())
    return failure(text + (near.map { " (did you mean \"\($0)\"?)" } ?? ""))
}

/// A failed statement in words; the tables that are not there yet have a cause of their own.
func failure(_ error: PostgresError) -> ExitCode {
    if error.sqlstate == "42P01" {
        return failure("the database has no webhooks yet: start `waymark serve` once")
    }
    return failure("\(error)")
}
