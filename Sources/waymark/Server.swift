import Admin
import ConfigurationFile
import Dispatch
import Embedded
import Enrolments
import Foundations
import Glibc
import HTTP
import Identity
import Intake
import Loader
import Logging
import Spool
import Synchronization

/// The running server: all rooms, wired together, from the start to the stop.
///
/// What belongs to it is changed on `queue` only. The listeners are up before PostgreSQL is, and stay up while it
/// is away.
final class Server: @unchecked Sendable {  // owner of all `var`s: `queue`
    let configuration: Configuration
    private let path: String
    let logger = Logger(label: "waymark")
    private let queue = DispatchQueue(label: "waymark.server")
    private let finished = DispatchSemaphore(value: 0)
    let startedAt = Clock.system.now()
    private let isDraining = Atomic<Bool>(false)
    private let databaseFault = Locked<String?>(nil)

    let spool: Spool
    private let installation: Installation
    private let cache = SessionCache()
    private let receipts = Receipts()
    private let lookup: Lookup
    private let loader: Loader
    private let catalogue: Cataloguer
    private let maintenance: Maintenance
    private let sessionEnds: SessionEnds
    private let journeyTimers: JourneyTimers
    private let persons: PersonWorker
    private let embedded: EmbeddedPostgres?
    let outbound: Outbounds
    private var intake: Intake?
    private var replayer: Replayer?
    private var http: HTTPServer?
    private(set) lazy var admin = makeAdmin()
    private var signals = Signals()
    private var status: Int32 = 0

    /// Opens the data directory. Throws `SpoolError.locked` when another server has it.
    init(_ configuration: Configuration, path: String) throws {
        self.configuration = configuration
        self.path = path
        try Self.makeDirectory(configuration.data)
        spool = try Spool(
            options: SpoolOptions(data: configuration.data, limits: configuration.limits), clock: .system,
            logger: logger)
        installation = try Installation(data: configuration.data)
        lookup = Lookup(logger: logger)
        var loading = Loader.Options(
            deduplicateDays: configuration.deduplicate.days, host: Self.hostName())
        loading.sessionTimeout = configuration.sessionTimeout
        let loader = try Loader(
            spool: spool, cache: cache, installation: installation, receipts: receipts, options: loading,
            logger: logger)
        let rules = IdentityRules(configuration)
        loader.use(rules)
        persons = PersonWorker(
            rules, cache: cache, installation: installation, metrics: loader.identityMetrics, logger: logger,
            isReady: { loader.status.isConnected })
        self.loader = loader
        sessionEnds = SessionEnds(
            silence: configuration.sessionTimeout, metrics: loader.metrics, logger: logger,
            isReady: { loader.status.isConnected })
        catalogue = try Cataloguer(
            spool: spool, outcomes: loader.outcomes,
            options: Cataloguer.Options(activities: configuration.limits.activities), logger: logger)
        maintenance = Maintenance(
            deduplicateDays: configuration.deduplicate.days, sources: configuration.sources, logger: logger)
        outbound = try Outbounds(configuration, host: Self.hostName(), logger: logger)
        let sender = outbound.sender
        loader.journeySetting.withLock { $0 = RulesInForce.Setting(configuration) }
        loader.onDeliveries = { sender.wake($0) }
        journeyTimers = JourneyTimers(
            setting: loader.journeySetting, metrics: loader.metrics, identity: IdentityRules(configuration),
            identityMetrics: loader.identityMetrics, logger: logger,
            isReady: { loader.status.isConnected }, onDeliveries: { sender.wake($0) })
        let isEmbedded = configuration.database == nil
        embedded = isEmbedded ? EmbeddedPostgres(directory: configuration.data, logger: logger) : nil
    }

    /// Serves until a signal or a fatal fault; the exit status.
    func run() throws -> Int32 {
        loader.onFatal = { [self] error in
            queue.async {
                self.logger.critical("cannot go on", metadata: ["error": "\(error)"])
                self.stop(status: 78)
            }
        }
        signals.on([SIGTERM, SIGINT], queue) { [self] in stop(status: 0) }
        signals.on([SIGHUP], queue) { [self] in reload() }
        try queue.sync {
            try listen()
            startDatabase()
        }
        finished.wait()
        return status
    }

    // MARK: Starting

    private func listen() throws {
        let parts = Intake.Parts(
            spool: spool, installation: installation, sessions: cache, lookup: lookup, receipts: receipts)
        let counted = Locked<Counted?>(nil)
        let intake = Intake(configuration, parts: parts, pages: pages(counted))
        let options = HTTPOptions(
            listen: configuration.listen, lanes: max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1),
            limits: configuration.limits, trustedProxies: configuration.trustedProxies)
        let http = HTTPServer(options: options, logger: logger, makeHandler: intake.handler)
        counted.withLock { $0 = Counted(http: http.metrics, admin: admin?.metrics, intake: intake.metrics) }
        self.intake = intake
        let judge = intake.replayJudge()
        replayer = Replayer(spool: spool, metrics: loader.metrics.replays, logger: logger) {
            judge.judge($0, into: &$1)
        }
        self.http = http
        let adminAddresses = try startAdmin()
        for address in try http.start() {
            printError("listening on \(address)")
            logger.info("listening", metadata: ["address": "\(address)"])
        }
        for address in adminAddresses {
            printError("admin listening on \(address)")
            logger.info("admin listening", metadata: ["address": "\(address)"])
        }
    }

    private func startDatabase() {
        guard let embedded else { return use(configuration.database) }
        embedded.start { [self] state in
            switch state {
            case .running(let conninfo):
                databaseFault.withLock { $0 = nil }
                use(conninfo)
            case .failed(let reason):
                databaseFault.withLock { $0 = reason }
                use(nil)
            case .starting, .stopped:
                use(nil)
            }
        }
    }

    private func use(_ conninfo: String?) {
        loader.use(conninfo)
        lookup.use(conninfo)
        catalogue.use(conninfo)
        maintenance.use(conninfo)
        sessionEnds.use(conninfo)
        journeyTimers.use(conninfo)
        persons.use(conninfo)
        replayer?.use(conninfo)
        outbound.use(conninfo)
        admin?.use(conninfo)
    }

    // MARK: While it runs

    private func reload() {
        do {
            let (new, warnings) = try readConfiguration(path: path)
            for warning in warnings { logger.warning("\(warning)") }
            intake?.update(new)
            http?.update(new.limits)
            maintenance.keep(new.sources)
            let rules = IdentityRules(new)
            loader.use(rules)
            persons.use(rules)
            reloadAdmin(new)
            logger.info("configuration reloaded", metadata: ["sources": "\(new.sources.count)"])
        } catch {
            logger.error("the configuration is not taken over", metadata: ["error": "\(error)"])
        }
    }

    /// What the pages show of rooms that are made after them.
    private struct Counted {
        let http: HTTPMetrics
        let admin: HTTPMetrics?
        let intake: IntakeMetrics
    }

    private func pages(_ counted: Locked<Counted?>) -> Intake.Pages {
        Intake.Pages(
            health: { out in
                out.append("{\"status\":\"alive\"}\n")
                return 200
            },
            readiness: { [self] out in
                let readiness = readiness()
                readiness.render(&out)
                return readiness.isReady ? 200 : 503
            },
            metrics: { [self] out in
                guard let counted = counted.withLock({ $0 }) else { return 503 }
                MetricsPage.render(
                    http: counted.http, admin: counted.admin, intake: counted.intake, loader: loader.metrics,
                    identity: loader.identityMetrics,
                    loaderStatus: loader.status, catalogue: catalogue.metrics, outbound: outbound,
                    spool: spool.status,
                    lookupFailures: lookup.failures.total, startedAt: startedAt, now: Clock.system.now(), &out
                )
                return 200
            })
    }

    func readiness() -> Readiness {
        Readiness(
            spool: spool.status, loader: loader.status, database: databaseFault.withLock { $0 },
            mail: outbound.alerter.fault, isKnown: installation.issuer != nil,
            isDraining: isDraining.load(ordering: .relaxed),
            now: Clock.system.now())
    }

    // MARK: Stopping

    /// Stops accepting, finishes what is in flight, flushes, loads what is left if that is quick, and ends.
    private func stop(status: Int32) {
        if isDraining.exchange(true, ordering: .relaxed) { return }
        self.status = status
        logger.info("stopping")
        intake?.drain()
        replayer?.stop()
        guard let http else { return end() }
        let admin = admin
        http.drain(within: 5) { [self] in
            admin?.drain(within: 1) {}
            spool.close { [self] in
                lookup.stop()
                maintenance.stop()
                sessionEnds.stop()
                journeyTimers.stop()
                persons.stop()
                loader.stop(within: 3000) { [self] in
                    catalogue.stop(within: 1000) { [self] in
                        outbound.stop { [self] in
                            guard let embedded else { return end() }
                            embedded.stop { [self] in end() }
                        }
                    }
                }
            }
        }
    }

    private func end() {
        logger.info("stopped")
        finished.signal()
    }

    // MARK: The machine

    /// Makes the data directory with its parents; only its owner may enter it.
    private static func makeDirectory(_ path: String) throws(SystemError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, made.count >= path.count ? 0o700 : 0o755) != 0, errno != EEXIST {
                throw SystemError("mkdir", made)
            }
        }
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
