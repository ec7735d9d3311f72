import Foundations
import Glibc
import Postgres

/// Where everything of the embedded PostgreSQL lies:
///
///     DATA/postgres/                       only its user may enter
///         cluster/                         PostgreSQL's own data directory
///         cluster.new/                     one that is being made, or was when we were killed
///         socket/                          its Unix socket
///         log/                             startup.log, initdb.log, postgresql-DAY.log
///         waymark.conf                     our settings, written at each start
///         postgresql.custom.conf           the operator's, if there is one; it wins
///
/// `DATA/postgres` may be a link to another disk. A socket's path has at most 107 bytes, and a comma would end it:
/// below a data directory with such a path it lies in `/tmp/waymark-HASH` instead.
struct ClusterLayout {
    static let database = "waymark"
    static let user = "waymark"
    static let port = 5432

    let data: String
    let root: String

    init(data: String) {
        self.data = Files.absolute(data)
        root = Files.absolute(data + "/postgres")
    }

    var cluster: String { root + "/cluster" }
    var unfinished: String { root + "/cluster.new" }
    var log: String { root + "/log" }
    var settings: String { root + "/waymark.conf" }
    var custom: String { root + "/postgresql.custom.conf" }
    var version: String { cluster + "/PG_VERSION" }
    var pidFile: String { cluster + "/postmaster.pid" }

    var socket: String {
        let usual = root + "/socket"
        let isShort = (usual + "/.s.PGSQL.\(Self.port)").utf8.count <= 107
        if isShort, !usual.contains(","), !usual.contains("\"") { return usual }
        var text = root
        let hash = text.withUTF8 { SipHash(k0: 0, k1: 0).hash(Bytes($0)) }
        return "/tmp/waymark-" + String(hash, radix: 16)
    }

    /// PostgreSQL does not log the errors of whoever connects with it: their messages quote values. We get them too.
    func conninfo(database: String = Self.database) -> String {
        "host=\(Conninfo.quoted(socket)) port=\(Self.port) dbname=\(database) user=\(Self.user)"
            + " options='-c log_min_messages=log'"
    }

    /// The folders above the cluster, owned by `owner`.
    func prepare(owner: Owner) throws(SystemError) {
        for folder in [root, socket, log] { try Files.makePrivateFolder(folder, owner: owner) }
        guard let status = Files.status(socket), status.st_uid == owner.uid else {
            throw SystemError(code: EPERM, "use", socket)
        }
    }
}
