import Dispatch
import Foundations
import Glibc
import Logging
import Testing

@testable import Embedded

/// A temporary data directory, removed with its object.
final class Folder {
    let path: String

    init(mode: mode_t = 0o755) throws {
        var template = Array("/tmp/waymark-embedded-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, mode)
    }

    deinit { try? Files.remove(path) }

    var layout: ClusterLayout { ClusterLayout(data: path) }
    var owner: Owner { get throws { try Owner.find(cluster: layout.cluster) } }
    /// The server's process, as its pid file has it.
    var pid: pid_t { Files.read(layout.pidFile)?.split(separator: "\n").first.flatMap { pid_t($0) } ?? -1 }

    /// Leaves a cluster behind without a server.
    func makeCluster() throws {
        let run = Run(path)
        _ = try run.running()
        run.stop()
    }

    /// A server that nobody watches, as a killed instance leaves it.
    func startUnattended() throws -> Child {
        let binaries = try Binaries.choose(
            for: Cluster.major(layout), at: layout.cluster, from: Binaries.installed())
        let cluster = try Cluster(layout: layout, binaries: binaries, owner: owner)
        let child = try cluster.start(cluster.command, log: layout.log + "/startup.log")
        while Postmaster.socket(of: layout) == nil { usleep(1000) }
        return child
    }
}

/// An embedded PostgreSQL and the states it went through.
final class Run {
    private let embedded: EmbeddedPostgres
    private let seen = Locked<[EmbeddedPostgres.State]>([])
    private let changed = DispatchSemaphore(value: 0)

    init(_ directory: String) {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        embedded = EmbeddedPostgres(directory: directory, logger: logger)
        embedded.start { [seen, changed] state in
            seen.withLock { $0.append(state) }
            changed.signal()
        }
    }

    var states: [EmbeddedPostgres.State] { seen.withLock { $0 } }

    struct TooLong: Error { let states: [EmbeddedPostgres.State] }

    func waits(until isRight: ([EmbeddedPostgres.State]) -> Bool) throws {
        while !isRight(states) {
            guard changed.wait(timeout: .now() + 180) == .success else { throw TooLong(states: states) }
        }
    }

    /// The connection string, once it runs.
    func running() throws -> String {
        try waits { if case .running? = $0.last { true } else { false } }
        guard case .running(let conninfo)? = states.last else { throw TooLong(states: states) }
        return conninfo
    }

    func stop(within milliseconds: Int = 20_000) {
        let done = DispatchSemaphore(value: 0)
        embedded.stop(within: milliseconds) { done.signal() }
        done.wait()
    }
}
