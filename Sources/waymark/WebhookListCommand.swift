import ArgumentParser
import Foundations
import Payload
import Postgres
import Webhooks

struct WebhookListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the applied webhooks: state, queue, last success and failure.",
        discussion: """
            States: active; paused (most calls fail: one probe each 30 seconds); disabled (nothing is sent until \
            `enable`). Unverified: it has never answered as it should. Removed: it stands in no file any more, and what \
            waits is still sent.

            EXAMPLES
              waymark webhook list
              waymark webhook list --json | jq '.items[] | select(.state != "active")'
            """)

    @Option(help: ArgumentHelp("At most so many.", valueName: "NUMBER")) var limit = 100
    @Option(help: ArgumentHelp("Only those after this name.", valueName: "NAME")) var after = ""
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 1...10_000 ~= limit else { throw ValidationError("--limit is 1 to 10000") }
    }

    func run() throws {
        let connection = try file.connect("webhook list")
        defer { connection.close() }
        var items: [WebhookStatus]
        do throws(PostgresError) {
            items = try WebhookStore.list(limit: limit + 1, after: after, connection)
        } catch {
            throw failure(error)
        }
        let hasMore = items.count > limit
        if hasMore { items.removeLast() }
        let next = hasMore ? items.last?.name : nil
        if json { return print(Self.json(items, next)) }
        if items.isEmpty { return print("no webhook is applied") }
        var table = Table(
            "NAME", "STATE", .right("WAITING"), "OLDEST", .right("FAILED"), "LAST SUCCESS", "LAST FAILURE",
            "WHY")
        for item in items {
            table.add(
                item.name, item.words, "\(item.waiting)", item.oldestWaiting?.short ?? "", "\(item.failed)",
                item.lastSuccessAt?.short ?? "never", item.lastFailureAt?.short ?? "never",
                item.reason ?? (item.failingSince == nil ? "" : item.lastError ?? ""))
        }
        table.print()
        if let next { print("\nmore: --after \(next)") }
    }

    static func json(_ items: [WebhookStatus], _ next: String?) -> String {
        var json = JSONWriter()
        json.object { json in
            json.array("items") { json in
                for item in items { json.object { item.write(to: &$0) } }
            }
            json.member("next", next)
        }
        return json.text
    }
}

extension WebhookStatus {
    var words: String {
        let facts = [isUnverified ? "unverified" : nil, removedAt == nil ? nil : "removed"].compactMap { $0 }
        return ([state.rawValue] + facts).joined(separator: ", ")
    }

    func write(to json: inout JSONWriter) {
        json.member("name", name)
        json.member("label", definition?.label)
        json.member("url", definition?.url)
        json.member("state", state.rawValue)
        json.member("reason", reason)
        json.member("verified", !isUnverified)
        json.member("waiting", waiting)
        json.member("oldest_waiting", oldestWaiting)
        json.member("failed", failed)
        json.member("failing_since", failingSince)
        json.member("last_success_at", lastSuccessAt)
        json.member("last_failure_at", lastFailureAt)
        json.member("last_status", lastStatus)
        json.member("last_error", lastError)
        json.member("last_excerpt", lastExcerpt)
        json.member("applied_at", appliedAt)
        json.member("removed_at", removedAt)
    }
}
