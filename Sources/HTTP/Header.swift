internal import Foundations

/// The header fields that are found while a head is parsed; every other one takes a scan.
package enum Header: UInt8, CaseIterable, Sendable {
    case host, contentLength, transferEncoding, connection, expect
    case contentType, contentEncoding, origin, authorization, userAgent, date, referer, accept
    case idempotencyKey, xEventTime, xRequestID, xForwardedFor, forwarded
    case accessControlRequestMethod, accessControlRequestHeaders, accessControlRequestPrivateNetwork

    static let count = 21

    /// The field of this name, in whatever case it is written.
    init?(name: Bytes) {
        switch name.count {
        case 4: self.init(name, "host", .host, or: "date", .date)
        case 6: self.init(name, "origin", .origin, or: "accept", .accept, or: "expect", .expect)
        case 7: self.init(name, "referer", .referer)
        case 9: self.init(name, "forwarded", .forwarded)
        case 10: self.init(name, "user-agent", .userAgent, or: "connection", .connection)
        case 12:
            self.init(
                name, "content-type", .contentType, or: "x-request-id", .xRequestID,
                or: "x-event-time", .xEventTime)
        case 13: self.init(name, "authorization", .authorization)
        case 14: self.init(name, "content-length", .contentLength)
        case 15: self.init(name, "idempotency-key", .idempotencyKey, or: "x-forwarded-for", .xForwardedFor)
        case 16: self.init(name, "content-encoding", .contentEncoding)
        case 17: self.init(name, "transfer-encoding", .transferEncoding)
        case 29: self.init(name, "access-control-request-method", .accessControlRequestMethod)
        case 30: self.init(name, "access-control-request-headers", .accessControlRequestHeaders)
        case 38:
            self.init(name, "access-control-request-private-network", .accessControlRequestPrivateNetwork)
        default: return nil
        }
    }

    private init?(
        _ name: Bytes, _ first: StaticString, _ header: Header, or second: StaticString = "",
        _ another: Header = .host, or third: StaticString = "", _ last: Header = .host
    ) {
        if name.equalsIgnoringCase(first) {
            self = header
        } else if name.equalsIgnoringCase(second) {
            self = another
        } else if name.equalsIgnoringCase(third) {
            self = last
        } else {
            return nil
        }
    }
}
