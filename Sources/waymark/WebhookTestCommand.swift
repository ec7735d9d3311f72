import ArgumentParser
import Dispatch
import Embedded
import Enrolments
import Foundations
import Glibc
import Logging
import Outbound
import Postgres
import Webhooks

struct WebhookTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Post a signed sample to a webhook, and show what it answers.",
        discussion: """
            The webhook is taken as it stands in the folder `journeys` of the configuration (else \(JourneysFolder.usual)), \
            so that it can be tried before it is applied; else as it was applied. The sample has the real shape, and an id of its own. Secrets come from \
            this command's environment.

            EXAMPLES
              waymark webhook test call_centre
              waymark webhook test call_centre --shape channel

            EXIT STATUS
              1 if the answer is not what the webhook calls a success.
            """)

    @Argument(help: ArgumentHelp("The webhook.", valueName: "NAME")) var name: String
    @Option(help: ArgumentHelp("custom, or channel as for e-mail and SMS.", valueName: "SHAPE"))
    var shape = "custom"
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        if WebhookTest.Shape(rawValue: shape) == nil { throw ValidationError("--shape is custom or channel") }
    }

    func run() throws {
        let (definition, panel, zone, place) = try find()
        let endpoint: Endpoint
        do throws(Endpoint.Fault) {
            endpoint = try Endpoint(definition)
        } catch {
            throw failure("\(error)")
        }
        var random = RandomSource()
        let now = Clock.system.now()
        let test = WebhookTest(
            endpoint, panel: panel, zone: zone, shape: WebhookTest.Shape(rawValue: shape) ?? .custom, at: now,
            random: &random)
        let result = try exchange(test.request)
        let (isSuccess, text) = WebhookTest.verdict(result, definition)
        print("webhook   \(name), \(place)")
        print("sent      \(test.body.count) bytes to \(definition.url), webhook-id \(test.id)")
        switch result {
        case .success(let response):
            print("answered  \(response.status) after \(response.milliseconds) ms")
            let body = String(decoding: response.body.prefix(2000), as: UTF8.self)
            if !body.isEmpty { print("body      \(body.printable)") }
        case .failure(let error): print("no answer after \(error.milliseconds) ms")
        }
        print("so        \(text)")
        if isSuccess { noteSuccess(definition, now) } else { throw ExitCode.failure }
    }

    /// The webhook, the panel that its bodies name, its time zone, and where it was found.
    private func find() throws -> (WebhookDefinition, panel: String, zone: Zone, place: String) {
        let configuration = try file.read().configuration
        if let (path, definition, found) = try inFiles() {
            let zone = Zone(found.timezone ?? configuration.timezone) ?? .utc
            return (definition, found.panel ?? configuration.panel, zone, "as in \(path)")
        }
        let setting = RulesInForce.Setting(configuration)
        let (status, panel, zone) = try inDatabase(file, "webhook test") { connection throws(PostgresError) in
            (
                try WebhookStore.find(name, connection), try AppliedDefinitions.panel(connection),
                try RulesInForce.read(setting, connection).zone
            )
        }
        guard let status, let definition = status.definition else {
            throw failure("there is no webhook \(name), neither in \(file.journeysFolder) nor applied")
        }
        return (definition, panel ?? configuration.panel, zone, "as applied \(status.appliedAt.short)")
    }

    private func inFiles() throws -> (String, WebhookDefinition, WebhookFolder.Found)? {
        let found: WebhookFolder.Found
        do throws(SystemError) {
            found = try WebhookFolder.read(file.journeysFolder)
        } catch {
            // The usual folder need not be there.
            if error.code == ENOENT, file.panelSettings.journeys == nil { return nil }
            throw failure("\(error)")
        }
        if let (path, definition) = found.webhooks.first(where: { $0.definition.name == name }) {
            return (path, definition, found)
        }
        if !found.mistakes.isEmpty {
            for mistake in found.mistakes { printError(mistake) }
            throw ExitCode.configuration
        }
        return nil
    }

    private func exchange(_ request: OutboundRequest) throws -> Result<OutboundResponse, OutboundError> {
        var options = OutboundOptions()
        options.agent = "Waymark/\(version)"
        let client = try OutboundClient(options, logger: Logger(label: "waymark"))
        let answer = Locked<Result<OutboundResponse, OutboundError>?>(nil)
        let done = DispatchSemaphore(value: 0)
        client.send(request) { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        client.stop()
        return answer.withLock { $0 } ?? .failure(OutboundError(kind: .stopped, message: "no answer"))
    }

    /// If it is applied, with this address, it counts as verified from now on.
    private func noteSuccess(_ definition: WebhookDefinition, _ now: Timestamp) {
        guard let configuration = try? file.read().configuration,
            let conninfo = configuration.database ?? EmbeddedPostgres.conninfo(directory: configuration.data),
            let connection = try? Connection(conninfo, name: "waymark webhook test", connectTimeout: 3000)
        else { return }
        try? WebhookTest.noteSuccess(of: definition, at: now, connection)
        connection.close()
    }
}
