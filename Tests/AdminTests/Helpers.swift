import Foundations
import Glibc
import Payload
import Testing

@testable import Admin

func withBytes<Result, Failure: Error>(
    _ text: String, _ body: (Bytes) throws(Failure) -> Result
) throws(Failure) -> Result {
    let copy = Array(text.utf8)
    var buffer = ByteBuffer(capacity: copy.count)
    buffer.append(copy)
    return try body(buffer.bytes)
}

extension JSONValue {
    /// As it is sent.
    var encoded: String {
        var buffer = ByteBuffer()
        buffer.append(self)
        return buffer.bytes.text
    }

    init(parsing text: String) throws {
        self = try withBytes(text) { bytes in
            var document = JSONDocument()
            try document.parse(bytes)
            return JSONValue(document.root)
        }
    }
}

let parts = AdminServer.Parts(version: "0", send: { _, _ in }) {
    AdminStatus(
        startedAt: Timestamp(seconds: 0), wrong: [("database", "away")], spoolBytes: 1, spoolCapacity: 2,
        backlogBytes: 3, oldestUnloaded: nil)
}

func text(ofFile path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}
