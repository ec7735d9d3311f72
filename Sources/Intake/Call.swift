import Foundations
import HTTP

/// A request as Intake sees it: slices of the connection's memory, valid while it is being handled.
///
/// It is all that the pure part takes, so that tests need no socket.
struct Call {
    enum Method { case get, head, post, options, other }

    var method = Method.post
    var path = Bytes.empty
    var query = Bytes.empty
    var body = Bytes.empty
    var contentType: Bytes?
    var contentEncoding: Bytes?
    var origin: Bytes?
    var authorization: Bytes?
    var userAgent: Bytes?
    var date: Bytes?
    var idempotencyKey: Bytes?
    var eventTime: Bytes?
    /// Of a preflight: the headers that the page wants to send, and the method (which makes it a preflight).
    var requestedHeaders: Bytes?
    var requestedMethod: Bytes?
    var wantsPrivateNetwork = false
    var peer = IPAddress(v4: 0x7f00_0001)
    var receivedAt = Timestamp(microseconds: 0)
}

extension Call {
    init(_ request: borrowing Request) {
        switch request.method {
        case .get: method = .get
        case .head: method = .head
        case .post: method = .post
        case .options: method = .options
        case .other: method = .other
        }
        path = request.path
        query = request.query
        body = request.body
        contentType = request.header(.contentType)
        contentEncoding = request.header(.contentEncoding)
        origin = request.header(.origin)
        authorization = request.header(.authorization)
        userAgent = request.header(.userAgent)
        date = request.header(.date)
        idempotencyKey = request.header(.idempotencyKey)
        eventTime = request.header(.xEventTime)
        peer = request.peer
        receivedAt = request.receivedAt
        guard method == .options else { return }
        requestedHeaders = request.header(.accessControlRequestHeaders)
        requestedMethod = request.header(.accessControlRequestMethod)
        wantsPrivateNetwork = request.header(.accessControlRequestPrivateNetwork) != nil
    }
}
