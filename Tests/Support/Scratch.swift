import Foundation

/// What went wrong in the test's own machinery, in words.
package struct Failure: Error, CustomStringConvertible, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// The folder under which a test process keeps all its files; it goes when the process ends.
///
/// `WAYMARK_KEEP=1` keeps it, to look at what servers wrote and said.
package final class Scratch: @unchecked Sendable {  // `count` and `isKept` are owned by whoever holds `lock`
    package static let shared = Scratch()

    package let path: String
    private let lock = NSLock()
    private var count = 0
    private var isKept = ProcessInfo.processInfo.environment["WAYMARK_KEEP"] != nil

    private init() {
        var name = Array("\(NSTemporaryDirectory())/waymark-test.XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { fatalError("mkdtemp: \(String(cString: strerror(errno)))") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .replacingOccurrences(of: "//", with: "/")
        chmod(path, 0o755)  // a PostgreSQL of another user lives below it
    }

    /// A path that nothing exists at yet.
    package func newPath(_ name: String) -> String {
        lock.withLock {
            count += 1
            return "\(path)/\(name)-\(count)"
        }
    }

    package func newFolder(_ name: String) throws -> String {
        let folder = newPath(name)
        guard mkdir(folder, 0o755) == 0 else {
            throw Failure("mkdir \(folder): \(String(cString: strerror(errno)))")
        }
        return folder
    }

    /// As if `WAYMARK_KEEP` were set.
    package func keep() { lock.withLock { isKept = true } }

    func removeAll() {
        if lock.withLock({ isKept }) {
            print("kept \(path)")
        } else {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

package func readFile(_ path: String) throws -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure("cannot read \(path)") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        while case let n = read(file, &room, room.count), n > 0 { bytes += room[..<n] }
        return bytes
    }
    return [UInt8](data)
}

package func writeFile(_ path: String, _ text: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) else {
        throw Failure("cannot write \(path)")
    }
}
