import Foundations
import Glibc

/// The names in the data directory, and the calls that change them.
///
///     data/lock                        locked while the server runs; holds its process id
///     data/instance                    the id of this server
///     data/spool/0000000007.segment    a segment of the log
///     data/spool/12.spare              a file made ready to become the next one
///     data/spool/12.new                a spare that is not ready yet; of no worth after a crash
struct SpoolDirectory: Sendable {
    let data: String
    var path: String { data + "/spool" }

    func segment(_ number: UInt32) -> String {
        let digits = String(number)
        return path + "/" + String(repeating: "0", count: 10 - digits.utf8.count) + digits + ".segment"
    }
    func spare(_ serial: Int) -> String { "\(path)/\(serial).spare" }
    func unfinished(_ serial: Int) -> String { "\(path)/\(serial).new" }

    /// Makes the directories that are missing, also above; only their owner may enter the data directory.
    func create() throws(SystemError) {
        var parent = data.hasPrefix("/") ? "" : "."
        for part in data.split(separator: "/") {
            let child = parent + "/" + part
            let mode: mode_t = child.count < data.count ? 0o755 : 0o700
            try Self.makeDirectory(child, mode, in: parent.isEmpty ? "/" : parent)
            parent = child
        }
        try Self.makeDirectory(path, 0o700, in: data)
    }

    private static func makeDirectory(_ path: String, _ mode: mode_t, in parent: String) throws(SystemError) {
        if mkdir(path, mode) == 0 { return try sync(parent) }
        if errno != EEXIST { throw SystemError("mkdir", path) }
    }

    /// Makes names that were added, changed or removed survive a crash.
    func sync() throws(SystemError) { try Self.sync(path) }

    static func sync(_ path: String) throws(SystemError) {
        let directory = try FileDescriptor(open: path, O_RDONLY | O_DIRECTORY)
        if fsync(directory.raw) != 0 { throw SystemError("fsync", path) }
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try retrying("rename", old) { Glibc.rename(old, new) }
    }

    func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0, errno != ENOENT { throw SystemError("unlink", path) }
    }

    /// What lies in the spool's directory.
    struct Names {
        var segments: [UInt32] = []
        var spares: [Int] = []
        var unfinished: [Int] = []
    }

    func list() throws(SystemError) -> Names {
        guard let directory = opendir(path) else { throw SystemError("opendir", path) }
        defer { closedir(directory) }
        var names = Names()
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                raw.slice(0..<(raw.firstIndex(of: 0) ?? raw.count)).text
            }
            let parts = name.split(separator: ".")
            guard parts.count == 2 else { continue }
            switch parts[1] {
            case "segment": if let number = UInt32(parts[0]) { names.segments.append(number) }
            case "spare": if let serial = Int(parts[0]) { names.spares.append(serial) }
            case "new": if let serial = Int(parts[0]) { names.unfinished.append(serial) }
            default: break
            }
        }
        names.segments.sort()
        return names
    }
}
