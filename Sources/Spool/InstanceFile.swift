import Foundations
import Glibc

/// `data/instance`: the id of this server, drawn at its first start.
enum InstanceFile {
    /// The id; nil when there is no file yet.
    static func read(data: String) throws(SpoolError) -> UUID? {
        let path = data + "/instance"
        var text = ByteBuffer(capacity: 64)
        do throws(SystemError) {
            let file = try SegmentFile(path: path, O_RDONLY)
            try text.fill(from: file, 64)
        } catch {
            if error.code == ENOENT { return nil }
            throw .failed(error)
        }
        guard let id = UUID(text.bytes.trimmed) else { throw .damaged(path: path, found: "no UUID in it") }
        return id
    }

    /// Written beside and renamed, so that there is never half an id.
    static func write(_ id: UUID, data: String) throws(SystemError) {
        let path = data + "/instance"
        let file = try SegmentFile(path: path + ".new", O_WRONLY | O_CREAT | O_TRUNC)
        var text = ByteBuffer(capacity: 64)
        text.append(id)
        text.append("\n")
        try file.write(text.bytes, at: 0)
        try file.sync()
        try retrying("rename", path) { rename(path + ".new", path) }
        try SpoolDirectory.sync(data)
    }
}
