import Foundations
import Glibc

/// A directory of a test's own; it goes away with the value that holds it.
final class TemporaryDirectory: Sendable {
    let path: String

    /// `memory`: not on a disk, for tests that need no real sync.
    init(memory: Bool = true) {
        var name = Array("\(memory ? "/dev/shm" : "/tmp")/waymark-test-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&name)!)
    }

    deinit { Self.remove(path) }

    static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                raw.slice(0..<(raw.firstIndex(of: 0) ?? raw.count)).text
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) {
        for name in names(path) {
            if unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }

    static func read(_ path: String) -> [UInt8] {
        guard let file = try? FileDescriptor(open: path, O_RDONLY) else { return [] }
        var facts = stat()
        fstat(file.raw, &facts)
        return [UInt8](unsafeUninitializedCapacity: Int(facts.st_size)) { room, count in
            count = max(0, pread(file.raw, room.baseAddress, room.count, 0))
        }
    }

    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = try? FileDescriptor(open: path, O_WRONLY | O_CREAT | O_TRUNC) else { return }
        precondition(pwrite(file.raw, bytes, bytes.count, 0) == bytes.count)
    }

    /// Copies a data directory: its files and those of the spool.
    static func copy(_ from: String, to: String) {
        mkdir(to, 0o755)
        mkdir(to + "/spool", 0o700)
        for name in names(from + "/spool") { write(read("\(from)/spool/\(name)"), to: "\(to)/spool/\(name)") }
        write(read(from + "/instance"), to: to + "/instance")
    }
}
