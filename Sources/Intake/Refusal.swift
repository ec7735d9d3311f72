import Foundations
import HTTP
import Payload

/// Why a request is refused as a whole: the status, a code for programs and a sentence for people. None of them
/// repeats anything of what was sent.
enum Refusal: Error {
    case notFound
    case methodNotAllowed(StaticString)
    /// Unknown or disabled source, wrong kind, bad key, origin not allowed: one answer for all of them, or a
    /// stranger could find out which sources there are.
    case unauthorized
    case notJSON(JSONError)
    case notAnObject
    /// A body that is not what its `Content-Encoding` says.
    case badEncoding
    case badPath(StaticString)
    case tooLarge
    case unsupportedType
    case unsupportedEncoding
    /// Nanoseconds until there will be room.
    case tooMany(wait: UInt64)
    case unavailable(StaticString, seconds: Int)
    /// Members of the envelope are missing or ill-typed, or no event is good: the faults say which.
    case invalid

    var status: Int {
        switch self {
        case .notJSON, .notAnObject, .badEncoding, .badPath: 400
        case .unauthorized: 401
        case .notFound: 404
        case .methodNotAllowed: 405
        case .tooLarge: 413
        case .unsupportedType, .unsupportedEncoding: 415
        case .invalid: 422
        case .tooMany: 429
        case .unavailable: 503
        }
    }

    /// For programs; also what the refusals are counted by.
    var code: StaticString { Self.codes[number] }

    static let codes: [StaticString] = [
        "not_found", "method_not_allowed", "unauthorized", "not_json", "not_an_object", "bad_encoding",
        "bad_path",
        "too_large", "unsupported_type", "unsupported_encoding", "too_many_requests", "unavailable",
        "invalid",
    ]

    /// The place of its code in `codes`.
    var number: Int {
        switch self {
        case .notFound: 0
        case .methodNotAllowed: 1
        case .unauthorized: 2
        case .notJSON: 3
        case .notAnObject: 4
        case .badEncoding: 5
        case .badPath: 6
        case .tooLarge: 7
        case .unsupportedType: 8
        case .unsupportedEncoding: 9
        case .tooMany: 10
        case .unavailable: 11
        case .invalid: 12
        }
    }

    /// The sentence, but for `notJSON`, whose error describes itself.
    private var message: StaticString {
        switch self {
        case .notFound: "there is nothing at this path"
        case .methodNotAllowed: "this resource does not answer that method"
        case .unauthorized: "unknown or disabled source, wrong key, or an origin that is not allowed"
        case .notJSON: "the body is not JSON"
        case .notAnObject: "the body must be a JSON object"
        case .badEncoding: "the body is not what its Content-Encoding says"
        case .badPath(let reason): reason
        case .tooLarge: "the body is larger than the limit, as sent or inflated"
        case .unsupportedType: "this Content-Type is not supported: send application/json"
        case .unsupportedEncoding: "this Content-Encoding is not supported: send gzip, deflate or none"
        case .tooMany: "too many requests: try again after the time in Retry-After"
        case .unavailable(let reason, _): reason
        case .invalid: "the request has members that are missing or of the wrong type"
        }
    }

    /// Header lines that only this refusal has.
    func appendHeaders(to headers: inout ByteBuffer) {
        switch self {
        case .methodNotAllowed(let allowed):
            headers.append("Allow: ")
            headers.append(allowed)
            headers.append("\r\n")
        case .unauthorized:
            // RFC 9110, 15.5.2: a 401 must say how to authenticate.
            headers.append("WWW-Authenticate: Bearer\r\n")
        case .unsupportedEncoding:
            headers.append("Accept-Encoding: gzip, deflate\r\n")
        case .tooMany(let wait):
            headers.appendRetryAfter(seconds: Int(min(wait / 1_000_000_000 + 1, 86_400)))
        case .unavailable(_, let seconds):
            headers.appendRetryAfter(seconds: seconds)
        default: break
        }
    }

    /// `faults`: what `invalid` lists.
    func appendBody(faults: Bytes, to body: inout ByteBuffer) {
        switch self {
        case .notJSON(let error):
            var text = "the body is not JSON: \(error)"
            text.withUTF8 { body.appendErrorBody(status: status, code: code, message: Bytes($0)) }
        case .invalid:
            body.appendFaultyBody(faults: faults, message: message)
        default:
            body.appendErrorBody(status: status, code: code, message: message)
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func appendRetryAfter(seconds: Int) {
        append("Retry-After: ")
        append(decimal: seconds)
        append("\r\n")
    }

    /// The body of a 422: as every refusal's, but `detail` is a list.
    fileprivate mutating func appendFaultyBody(faults: Bytes, message: StaticString) {
        append(#"{"detail":["#)
        append(faults)
        append(#"],"error":""#)
        append(message)
        append(#"","code":"invalid","message":""#)
        append(message)
        append(#"","status":422}"#)
    }
}
