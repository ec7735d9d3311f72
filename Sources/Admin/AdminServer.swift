import Enrolments
import Foundations
import HTTP
import Logging
import Outbound

/// The admin API: a listener of its own on one lane, with tokens, small limits and a description of itself.
///
///     let admin = AdminServer(configuration, parts: parts, logger: logger)
///     for address in try admin.start() { … }
///     admin.use(conninfo)
///
/// It has a workroom of its own for the database, so that nothing that is asked here holds up an event.
package final class AdminServer: Sendable {
    /// Posts something to somebody else's server: what the webhooks' sender does.
    package typealias Sending = @Sendable (OutboundRequest, @escaping OutboundCompletion) -> Void

    /// What it shows, and uses, of the rest of the server.
    package struct Parts: Sendable {
        let version: String
        let send: Sending
        let status: @Sendable () -> AdminStatus

        package init(
            version: String, send: @escaping Sending, status: @escaping @Sendable () -> AdminStatus
        ) {
            (self.version, self.send, self.status) = (version, send, status)
        }
    }

    private let http: HTTPServer
    private let workroom: Workroom
    private let patientRoom: Workroom
    private let tokens: Locked<Tokens>
    private let names: Locked<IdentityNames>
    private let setting: Locked<RulesInForce.Setting>

    /// Nil when no token is configured: nobody could ask anything.
    package init?(_ configuration: Configuration, parts: Parts, logger: Logger) {
        guard configuration.admin.isWanted else { return nil }
        let tokens = Locked(Tokens(configuration.admin))
        let names = Locked(IdentityNames(configuration))
        let workroom = Workroom(logger: logger)
        let patientRoom = Workroom(.patient, logger: logger)
        let setting = Locked(RulesInForce.Setting(configuration))
        let router = Router(Endpoints.all(parts, names, setting))
        let options = HTTPOptions(listen: configuration.admin.listen, lanes: 1, limits: Self.limits)
        http = HTTPServer(options: options, logger: logger) { lane in
            AdminLane(
                lane, router: router, workroom: workroom, patientRoom: patientRoom, tokens: tokens,
                logger: logger)
        }
        (self.workroom, self.patientRoom) = (workroom, patientRoom)
        (self.tokens, self.names, self.setting) = (tokens, names, setting)
    }

    /// A few people and programs, who send little: the largest is a folder of journeys.
    static let limits: Limits = {
        var limits = Limits()
        limits.body = 512 << 10
        limits.head = 16 << 10
        limits.connections = 256
        limits.memory = 4 << 20
        limits.bodyTimeout = 10_000_000
        return limits
    }()

    package var metrics: HTTPMetrics { http.metrics }

    /// Opens the listener; the addresses that are listened on.
    package func start() throws(SystemError) -> [String] { try http.start() }

    /// Where the database is; nil: it is not there for the time being.
    package func use(_ conninfo: String?) {
        workroom.use(conninfo)
        patientRoom.use(conninfo)
    }

    /// Takes changed tokens and rules of identities over; where it listens is fixed at the start.
    package func update(_ configuration: Configuration) {
        let (tokens, names) = (Tokens(configuration.admin), IdentityNames(configuration))
        self.tokens.withLock { $0 = tokens }
        self.names.withLock { $0 = names }
        setting.withLock { $0 = RulesInForce.Setting(configuration) }
    }

    /// Lets what is under way finish; calls back when the last connection is gone.
    package func drain(within seconds: Int, _ done: @escaping @Sendable () -> Void) {
        http.drain(within: seconds) { [workroom, patientRoom] in
            workroom.stop()
            patientRoom.stop()
            done()
        }
    }
}
