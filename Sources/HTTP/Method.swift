internal import Foundations

/// What a request asks for.
package enum Method: UInt8, Sendable {
    case get, head, post, options
    /// Any other token; `Request.methodText` has it.
    case other

    init(_ text: Bytes) {
        if text.equals("POST") {
            self = .post
        } else if text.equals("GET") {
            self = .get
        } else if text.equals("HEAD") {
            self = .head
        } else if text.equals("OPTIONS") {
            self = .options
        } else {
            self = .other
        }
    }
}
