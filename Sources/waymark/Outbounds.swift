import Alerts
import ConfigurationFile
import Foundations
import Logging
import Outbound
import Webhooks

/// What goes out by itself: deliveries to webhooks, and mails about those that fail. One client, one thread.
///
/// Without an applied webhook it looks at an empty table now and then, and that is all.
final class Outbounds: Sendable {
    let client: OutboundClient
    let sender: Sender
    let alerter: Alerter

    init(_ configuration: Configuration, host: String, logger: Logger) throws(SystemError) {
        var options = OutboundOptions()
        options.agent = "Waymark/\(version)"
        client = try OutboundClient(options, logger: logger)
        var sending = Sender.Options(environment: processEnvironment)
        sending.host = host
        sender = Sender(client: client, options: sending, logger: logger)
        alerter = Alerter(
            server: configuration.smtp.map(MailServer.init), client: client, logger: logger
        ) { name, json in Self.audience(of: name, json) }
    }

    private static func audience(of name: String, _ json: String) -> AlertAudience {
        guard let definition = WebhookDefinition(name: name, json: json) else {
            return .unknown("its definition cannot be read")
        }
        guard let alert = definition.alert else { return .nobody }
        do throws(Endpoint.Fault) {
            let to = try Endpoint.alertTo(definition)
            let rule = AlertRule(to: to, every: alert.every, recovery: alert.recovery)
            return .told(rule, label: definition.label)
        } catch {
            return .unknown("\(error)")
        }
    }

    func use(_ conninfo: String?) {
        sender.use(conninfo)
        alerter.use(conninfo)
    }

    /// Lets what is on its way arrive, if that is quick.
    func stop(_ done: @escaping @Sendable () -> Void) {
        alerter.stop()
        sender.stop(within: 3000) { [client] in
            client.stop()
            done()
        }
    }
}

extension MailServer {
    init(_ smtp: Configuration.SMTP) {
        self.init(host: smtp.host, port: smtp.port, from: smtp.from)
        security = Security(rawValue: smtp.security.rawValue) ?? .starttls
        user = smtp.user
        password = smtp.password
        ca = smtp.ca
    }
}
