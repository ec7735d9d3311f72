import Foundations

/// What a body claims to be.
enum ContentType {
    case json
    case form
    case unsupported

    /// `application/json`, `application/*+json`, `text/plain` and none at all hold JSON: a page can send the last
    /// two without a preflight. Parameters (a charset) are not looked at: what is not UTF-8 is not JSON.
    init(_ header: Bytes?) {
        guard let header else {
            self = .json
            return
        }
        var end = 0
        while end < header.count, header[end] != UInt8(ascii: ";") { end += 1 }
        let type = header.slice(0..<end).trimmed
        if type.isEmpty || type.equalsIgnoringCase("application/json")
            || type.equalsIgnoringCase("text/plain")
            || type.equalsIgnoringCase("text/json")
        {
            self = .json
        } else if type.count > 17, type.slice(0..<12).equalsIgnoringCase("application/"),
            type.slice(type.count - 5..<type.count).equalsIgnoringCase("+json")
        {
            self = .json
        } else if type.equalsIgnoringCase("application/x-www-form-urlencoded") {
            self = .form
        } else {
            self = .unsupported
        }
    }
}

/// How a body is packed.
enum ContentEncoding {
    case identity
    case packed(Inflater.Coding)
    case unsupported

    init(_ header: Bytes?) {
        guard let name = header?.trimmed, !name.isEmpty else {
            self = .identity
            return
        }
        if name.equalsIgnoringCase("gzip") || name.equalsIgnoringCase("x-gzip") {
            self = .packed(.gzip)
        } else if name.equalsIgnoringCase("deflate") {
            self = .packed(.deflate)
        } else if name.equalsIgnoringCase("identity") {
            self = .identity
        } else {
            self = .unsupported
        }
    }
}
