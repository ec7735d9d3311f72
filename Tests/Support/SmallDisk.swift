import Foundation

/// A small file system in memory that a server's data lies on, to be filled up to the last byte. Only root may make one.
package final class SmallDisk: Sendable {
    private let folder: String
    private var filler: String { "\(folder)/filler" }

    /// Mounted at `folder`, which must not exist yet.
    package init(at folder: String, megabytes: Int) throws {
        self.folder = folder
        guard mkdir(folder, 0o755) == 0, mount("tmpfs", folder, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw Failure("mounting \(folder): \(String(cString: strerror(errno)))")
        }
    }

    // Detached, even if something still looks at it.
    deinit { umount2(folder, 2) }

    package static let mayMount = getuid() == 0

    /// Nothing is left.
    package func fill() {
        let file = open(filler, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(file) }
        for size in [1 << 20, 4096] {
            let zeros = [UInt8](repeating: 0, count: size)
            while write(file, zeros, size) == size {}
        }
    }

    package func free() { unlink(filler) }
}
