import Foundations

/// Why an event could not be taken, as the quarantine's column `detail` says it: the same members whatever the reason.
///
///     {"code": "type_error", "expected": "an object", "found": "a list", "nearest": "properties",
///      "message": "expected an object, found a list; did you mean properties?"}
///
/// `nearest` is there where a known name is near to what was found. What PostgreSQL said of an event that it did not
/// store follows as `sqlstate`, `detail` and `where`.
package struct QuarantineDetail: Equatable, Sendable {
    /// A word for programs, within the reason: `type_error`, `too_deep`, a SQLSTATE.
    package var code: String
    package var expected: String
    package var found: String
    /// The known name that was probably meant.
    package var nearest: String?
    /// A sentence; nil: it is made from the others.
    package var message: String?
    /// Further members, of texts; the empty ones are left out.
    package var more: [(name: String, text: String)] = []

    package init(
        code: String, expected: String, found: String, nearest: String? = nil, message: String? = nil
    ) {
        self.code = code
        self.expected = expected
        self.found = found
        self.nearest = nearest
        self.message = message
    }

    private var sentence: String {
        let end = nearest.map { "; did you mean \($0)?" } ?? ""
        return (message ?? "expected \(expected), found \(found)") + end
    }

    /// Appends it as JSON that jsonb accepts.
    package func append(to buffer: inout ByteBuffer) {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.member("code", code)
            json.member("expected", expected)
            json.member("found", found)
            if let nearest { json.member("nearest", nearest) }
            json.member("message", sentence)
            for (name, text) in more where !text.isEmpty { json.member(name, text) }
        }
        buffer.append(json.bytes)
    }

    package var json: String {
        var buffer = ByteBuffer(capacity: 256)
        append(to: &buffer)
        return buffer.bytes.text
    }

    package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
