import Foundations
import Glibc

/// The few things we do with files, without Foundation. Links are never followed where the server's user, who is less
/// than root, could have put them.
enum Files {
    static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

    static func exists(_ path: String) -> Bool { status(path) != nil }

    /// The whole file if it is small, or nil.
    static func read(_ path: String, limit: Int = 64 << 10) -> String? {
        guard let file = try? FileDescriptor(open: path, O_RDONLY) else { return nil }
        var bytes = [UInt8](repeating: 0, count: limit)
        var count = 0
        while count < limit {
            let more = bytes.withUnsafeMutableBytes { room in
                Glibc.read(file.raw, room.baseAddress.map { $0 + count }, limit - count)
            }
            if more < 0 && errno == EINTR { continue }
            if more <= 0 { break }
            count += more
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// Puts a file in place as a whole, for its owner only.
    static func write(_ text: String, to path: String, owner: Owner) throws(SystemError) {
        let new = path + ".new"
        unlink(new)
        do {
            let file = try FileDescriptor(open: new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
            try owner.take(file.raw, new)
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                let count = try retrying("write", new) {
                    bytes.withUnsafeBytes { Glibc.write(file.raw, $0.baseAddress, $0.count) }
                }
                bytes = bytes.dropFirst(count)
            }
            try retrying("fsync", new) { fsync(file.raw) }
        }
        try retrying("rename", path) { rename(new, path) }
    }

    /// A new, empty file for the output of a child.
    static func openLog(_ path: String, owner: Owner) throws(SystemError) -> FileDescriptor {
        unlink(path)
        let file = try FileDescriptor(open: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND)
        try owner.take(file.raw, path)
        return file
    }

    /// A folder that only `owner` may enter; made if it is not there.
    static func makePrivateFolder(_ path: String, owner: Owner) throws(SystemError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw SystemError("mkdir", path) }
        let folder = try FileDescriptor(open: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try owner.take(folder.raw, path)
        try retrying("chmod", path) { fchmod(folder.raw, 0o700) }
    }

    /// A folder and those above it that are missing.
    static func makeFolders(_ path: String) throws(SystemError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o750) != 0, errno != EEXIST, errno != EISDIR { throw SystemError("mkdir", made) }
        }
    }

    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a folder with all that is in it.
    static func remove(_ path: String) throws(SystemError) {
        guard let status = status(path) else { return }
        guard isFolder(status) else {
            try retrying("unlink", path) { unlink(path) }
            return
        }
        for name in names(in: path) { try remove(path + "/" + name) }
        try retrying("rmdir", path) { rmdir(path) }
    }

    static func synchronizeFolder(_ path: String) throws(SystemError) {
        let folder = try FileDescriptor(open: path, O_RDONLY | O_DIRECTORY)
        try retrying("fsync", path) { fsync(folder.raw) }
    }

    /// The last lines of a log, on one line, for a message.
    static func tail(_ path: String, lines: Int = 4) -> String {
        let all = (read(path) ?? "").split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
        return all.suffix(lines).joined(separator: " ")
    }

    /// Absolute and without links, also where the last folders do not exist yet: the same before and after they do.
    static func absolute(_ path: String) -> String {
        var parts = path.split(separator: "/").filter { $0 != "." }
        var missing: [Substring] = []
        while true {
            let start = path.hasPrefix("/") ? "/" : "./"
            if let real = realpath(start + parts.joined(separator: "/"), nil) {
                defer { free(real) }
                let known = String(cString: real)
                return ([known == "/" ? "" : known] + missing.map(String.init)).joined(separator: "/")
            }
            guard let last = parts.popLast() else { return path }
            missing.insert(last, at: 0)
        }
    }
}
