import Foundations

/// The headers by which a browser lets a page read our answers (the Fetch standard's CORS protocol).
///
/// Credentials are allowed, so the origin is always echoed exactly, never `*`; and every answer says that it
/// depends on the origin, or a shared cache would hand one page's answer to another.
enum CrossOrigin {
    /// Longer than any host name: not an origin.
    static let longestOrigin = 512

    /// The headers of an ordinary answer; `origin` is nil when there is none or it is not allowed.
    static func append(origin: Bytes?, to headers: inout ByteBuffer) {
        if let origin {
            appendAllowed(origin, to: &headers)
            headers.append("Access-Control-Expose-Headers: X-Request-Id, Retry-After\r\n")
        }
        headers.append("Vary: Origin\r\n")
    }

    /// The headers of the answer to a preflight.
    static func append(
        preflight origin: Bytes?, requestedHeaders: Bytes?, privateNetwork: Bool, methods: StaticString,
        to headers: inout ByteBuffer
    ) {
        if let origin {
            appendAllowed(origin, to: &headers)
            headers.append("Access-Control-Allow-Methods: ")
            headers.append(methods)
            headers.append("\r\n")
            if let requested = requestedHeaders?.trimmed, isHeaderList(requested) {
                headers.append("Access-Control-Allow-Headers: ")
                headers.append(requested)
                headers.append("\r\n")
            }
            if privateNetwork { headers.append("Access-Control-Allow-Private-Network: true\r\n") }
            headers.append("Access-Control-Max-Age: 86400\r\n")
        }
        headers.append("Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n")
    }

    private static func appendAllowed(_ origin: Bytes, to headers: inout ByteBuffer) {
        headers.append("Access-Control-Allow-Origin: ")
        headers.append(origin)
        headers.append("\r\nAccess-Control-Allow-Credentials: true\r\n")
    }

    /// Field names, commas and spaces only (RFC 9110, 5.6.2): what is echoed cannot carry anything else.
    private static func isHeaderList(_ text: Bytes) -> Bool {
        guard !text.isEmpty, text.count <= 4096 else { return false }
        for byte in text {
            switch byte {
            case 48...57, 65...90, 97...122: continue
            case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\t"): continue
            case UInt8(ascii: "!"), 0x23...0x27, UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                continue
            case UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"): continue
            case UInt8(ascii: "|"), UInt8(ascii: "~"): continue
            default: return false
            }
        }
        return true
    }

    /// Is it a text that an `Origin` header may hold? Printable ASCII without spaces.
    static func isOrigin(_ text: Bytes) -> Bool {
        guard !text.isEmpty, text.count <= longestOrigin else { return false }
        for byte in text where byte <= 0x20 || byte >= 0x7f { return false }
        return true
    }
}
