import Glibc

/// The programs of one major version of PostgreSQL.
struct Binaries: Equatable {
    let folder: String
    let major: Int

    var postgres: String { folder + "/postgres" }
    var initdb: String { folder + "/initdb" }

    /// All versions that are installed, the newest first: Debian's folders, then what `PATH` has.
    static func installed(under debian: String = "/usr/lib/postgresql") -> [Binaries] {
        var found: [Binaries] = []
        for name in Files.names(in: debian) {
            guard let major = Int(name) else { continue }
            found.append(Binaries(folder: "\(debian)/\(name)/bin", major: major))
        }
        found.sort { $0.major > $1.major }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        for folder in path.split(separator: ":").map(String.init)
        where access(folder + "/postgres", X_OK) == 0 {
            guard let major = major(of: folder) else { continue }
            if !found.contains(where: { $0.major == major }) {
                found.append(Binaries(folder: folder, major: major))
            }
        }
        return found.filter { access($0.postgres, X_OK) == 0 && access($0.initdb, X_OK) == 0 }
    }

    /// From `postgres --version`: "postgres (PostgreSQL) 15.18 (Debian …)".
    private static func major(of folder: String) -> Int? {
        guard let output = popen("'\(folder)/postgres' --version 2>/dev/null", "r") else { return nil }
        defer { pclose(output) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, 256, output) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = text.split(separator: " ")
        return words.count > 2 ? Int(words[2].prefix { $0.isNumber }) : nil
    }

    /// The programs for a cluster of version `made`, or for a new one (nil).
    static func choose(for made: Int?, at cluster: String, from all: [Binaries]) throws(EmbeddedError)
        -> Binaries
    {
        if let made, let match = all.first(where: { $0.major == made }) { return match }
        guard let newest = all.first else {
            let package = made.map { "postgresql-\($0)" } ?? "postgresql"
            throw EmbeddedError(
                "PostgreSQL is not installed (looked in /usr/lib/postgresql and PATH): apt-get install \(package)"
            )
        }
        guard let made else { return newest }
        throw EmbeddedError(
            "the cluster \(cluster) was made by PostgreSQL \(made), installed is \(newest.major); it was not touched. "
                + "Run it as it is: apt-get install postgresql-\(made); or upgrade it: "
                + upgrade(of: cluster, from: made, to: newest))
    }

    private static func upgrade(of cluster: String, from made: Int, to new: Binaries) -> String {
        "apt-get install postgresql-\(made) && mv '\(cluster)' '\(cluster)-\(made)' && "
            + "\(new.initdb) -U \(ClusterLayout.user) -E UTF8 --locale=C.UTF-8 -A trust -D '\(cluster)' && "
            + "\(new.folder)/pg_upgrade -U \(ClusterLayout.user) -b /usr/lib/postgresql/\(made)/bin "
            + "-B \(new.folder) -d '\(cluster)-\(made)' -D '\(cluster)' (as the cluster's user)"
    }
}
