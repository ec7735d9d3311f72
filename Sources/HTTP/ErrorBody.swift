package import Foundations

extension ByteBuffer {
    /// The body of every refusal: each client library finds the key that it looks for.
    ///
    ///     {"detail": "…", "error": "…", "code": "…", "message": "…", "status": 400}
    package mutating func appendErrorBody(status: Int, code: StaticString, message: Bytes) {
        append(#"{"detail":"#)
        appendErrorText(message)
        append(#","error":"#)
        appendErrorText(message)
        append(#","code":""#)
        append(code)
        append(#"","message":"#)
        appendErrorText(message)
        append(#","status":"#)
        append(decimal: status)
        append("}")
    }

    package mutating func appendErrorBody(status: Int, code: StaticString, message: StaticString) {
        appendErrorBody(
            status: status, code: code,
            message: Bytes(start: message.utf8Start, count: message.utf8CodeUnitCount))
    }

    /// A JSON string of what should be plain text; anything that would need more than a backslash is dropped.
    private mutating func appendErrorText(_ text: Bytes) {
        append(34)
        for byte in text where byte >= 32 {
            if byte == 34 || byte == 92 { append(92) }
            append(byte)
        }
        append(34)
    }
}
