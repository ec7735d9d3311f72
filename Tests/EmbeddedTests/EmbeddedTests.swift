import Dispatch
import Foundations
import Glibc
import Logging
import Postgres
import Testing

@testable import Embedded

/// Real servers in folders of their own, which are really killed. One at a time: each has its own `initdb`.
@Suite(.serialized) struct EmbeddedTests {
    @Test func aClusterIsMadeUsedAndStopped() throws {
        let folder = try Folder()
        #expect(EmbeddedPostgres.conninfo(directory: folder.path) == nil)
        let first = Run(folder.path)
        let conninfo = try first.running()
        #expect(conninfo == EmbeddedPostgres.conninfo(directory: folder.path))
        let connection = try Connection(conninfo, name: "test")
        try connection.script("create table kept as select 'Grüße' as text")
        for (setting, value) in [
            ("server_encoding", "UTF8"), ("lc_collate", "C.UTF-8"), ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("max_wal_size", "4GB"), ("listen_addresses", ""), ("unix_socket_permissions", "0700"),
        ] {
            #expect(try connection.execute("select current_setting($1)", setting).string(0, 0) == value)
        }
        let pid = folder.pid
        first.stop()
        #expect(kill(pid, 0) == -1)
        #expect(!Files.exists(folder.layout.pidFile))

        let second = Run(folder.path)
        let again = try Connection(try second.running(), name: "test")
        #expect(try again.execute("select text from kept").string(0, 0) == "Grüße")
        second.stop()
        #expect(second.states == [.starting, .running(conninfo: conninfo), .stopped])
    }

    @Test func aKilledServerIsStartedAgainWithWhatWasCommitted() throws {
        let folder = try Folder()
        let run = Run(folder.path)
        let connection = try Connection(try run.running(), name: "test")
        try connection.script("create table kept (n int); insert into kept values (7)")
        let before = folder.pid
        kill(before, SIGKILL)
        try run.waits { $0.last.isFailed }
        let again = try Connection(try run.running(), name: "test")
        #expect(folder.pid != before)
        #expect(try again.execute("select n from kept").int(0, 0) == 7)
        run.stop()
    }

    @Test func anOrphanIsAdoptedAndStoppedWithUs() throws {
        let folder = try Folder()
        try folder.makeCluster()
        let orphan = try folder.startUnattended()
        let run = Run(folder.path)
        _ = try run.running()
        #expect(folder.pid == orphan.pid)
        run.stop()
        #expect(!orphan.isRunning)
        #expect(orphan.hasSucceeded)
    }

    @Test func aStaleProcessIdOfAnotherProgramIsNoObstacle() throws {
        let folder = try Folder()
        try folder.makeCluster()
        try Files.write(
            "\(getpid())\n\(folder.layout.cluster)\n", to: folder.layout.pidFile, owner: folder.owner)
        let run = Run(folder.path)
        _ = try run.running()
        #expect(folder.pid != getpid())
        run.stop()
    }

    @Test func aHalfMadeClusterIsMadeAgain() throws {
        let folder = try Folder()
        try folder.layout.prepare(owner: folder.owner)
        let binaries = try Binaries.choose(for: nil, at: folder.layout.cluster, from: Binaries.installed())
        let cluster = try Cluster(layout: folder.layout, binaries: binaries, owner: folder.owner)
        let child = try cluster.start(cluster.initdb, log: folder.layout.log + "/initdb.log")
        while !Files.exists(folder.layout.unfinished + "/PG_VERSION") { usleep(1000) }
        child.signalGroup(SIGKILL)
        while child.isRunning { usleep(1000) }
        let run = Run(folder.path)
        _ = try run.running()
        #expect(!Files.exists(folder.layout.unfinished))
        run.stop()
    }

    @Test func aStopWhileTheClusterIsMadeLeavesNone() throws {
        let folder = try Folder()
        let interrupted = Run(folder.path)
        while !Files.exists(folder.layout.unfinished + "/PG_VERSION") { usleep(1000) }
        interrupted.stop()
        #expect(interrupted.states == [.starting, .stopped])
        #expect(EmbeddedPostgres.conninfo(directory: folder.path) == nil)
    }

    @Test func aClusterOfAnotherMajorVersionIsNotTouched() throws {
        let folder = try Folder()
        try Files.makeFolders(folder.layout.cluster)
        try Files.write("12\n", to: folder.layout.version, owner: folder.owner)
        try Files.write("treasure", to: folder.layout.cluster + "/base", owner: folder.owner)
        let run = Run(folder.path)
        try run.waits { $0.last.isFailed }
        run.stop()
        guard case .failed(let reason)? = run.states.first(where: { $0.isFailed }) else { throw Surprise() }
        #expect(reason.contains("made by PostgreSQL 12") && reason.contains("pg_upgrade"))
        #expect(Files.names(in: folder.layout.cluster).sorted() == ["PG_VERSION", "base"])
        #expect(Files.read(folder.layout.cluster + "/base") == "treasure")
    }

    @Test func anOperatorsMistakeIsToldAndItsCorrectionTaken() throws {
        let folder = try Folder()
        try folder.makeCluster()
        try Files.write("shared_bufers = 1GB\n", to: folder.layout.custom, owner: folder.owner)
        let run = Run(folder.path)
        try run.waits { $0.last.isFailed }
        guard case .failed(let reason)? = run.states.last else { throw Surprise() }
        #expect(reason.contains("shared_bufers"))
        try Files.write("work_mem = 7MB\n", to: folder.layout.custom, owner: folder.owner)
        let connection = try Connection(try run.running(), name: "test")
        #expect(try connection.execute("select current_setting('work_mem')").string(0, 0) == "7MB")
        run.stop()
    }

    @Test(.enabled(if: geteuid() == 0, "only root can have such a folder"))
    func aFolderThatOnlyRootMayEnterWillDo() throws {
        let folder = try Folder(mode: 0o700)
        let run = Run(folder.path + "/data")
        let connection = try Connection(try run.running(), name: "test")
        try connection.script("create table kept (n int); checkpoint")
        let owner = Files.status(folder.path + "/data/postgres/cluster")?.st_uid
        #expect(owner != 0)
        run.stop()
    }

    @Test(arguments: [
        String(repeating: "long/", count: 20), "one, two", #"o'clock "sharp" \"#, "Müller & Söhne",
    ])
    func anyPathWillDo(_ name: String) throws {
        let folder = try Folder()
        let data = folder.path + "/" + name
        defer { try? Files.remove(ClusterLayout(data: data).socket) }
        let run = Run(data)
        let conninfo = try run.running()
        #expect(conninfo == EmbeddedPostgres.conninfo(directory: data))
        #expect(try Connection(conninfo, name: "test").execute("select 1").int(0, 0) == 1)
        run.stop()
    }

    @Test func theClusterMayLieOnAnotherDisk() throws {
        let (folder, disk) = (try Folder(), try Folder())
        symlink(disk.path, folder.path + "/postgres")
        let run = Run(folder.path)
        _ = try run.running()
        #expect(Files.exists(disk.path + "/cluster/PG_VERSION"))
        run.stop()
    }

    @Test func aStoppedServerProcessCannotDelayTheStopForLong() throws {
        let folder = try Folder()
        let run = Run(folder.path)
        _ = try run.running()
        kill(folder.pid, SIGSTOP)
        let begun = Clock.system.monotonic()
        run.stop(within: 100)
        #expect(Clock.system.monotonic() - begun < 30_000_000_000)
        #expect(!Files.names(in: "/proc").contains("\(folder.pid)"))
    }

    @Test func aPathIsTheSameBeforeAndAfterItExists() throws {
        let folder = try Folder()
        let real = Files.absolute(folder.path)
        symlink(folder.path, folder.path + "/link")
        for path in ["/./link/a//b/", "/a/b", "//a/./b"] {
            #expect(Files.absolute(folder.path + path) == real + "/a/b")
        }
        try Files.makeFolders(folder.path + "/a/b")
        #expect(Files.absolute(folder.path + "/link/a/b/") == real + "/a/b")
        #expect(Files.absolute("/").isEmpty)
        #expect(Files.absolute("nowhere/./x") == Files.absolute(".") + "/nowhere/x")
    }

    struct Surprise: Error {}
}

extension EmbeddedPostgres.State {
    var isFailed: Bool { if case .failed = self { true } else { false } }
}

extension Optional<EmbeddedPostgres.State> {
    var isFailed: Bool { self?.isFailed ?? false }
}
