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
        case 4:
            if name.equalsIgnoringCase("host") { self = .host } else if name.equalsIgnoringCase("date") {
                self = .date
            } else {
                return nil
            }
        case 6:
            if name.equalsIgnoringCase("origin") { self = .origin } else if name.equalsIgnoringCase("accept") {
                self = .accept
            } else if name.equalsIgnoringCase("expect") {
                self = .expect
            } else {
                return nil
            }
        case 7: self.init(name, "referer", .referer)
        case 9: self.init(name, "forwarded", .forwarded)
        case 10:
            if name.equalsIgnoringCase("user-agent") {
                self = .userAgent
            } else {
                self.init(name, "connection", .connection)
            }
        case 12:
            if name.equalsIgnoringCase("content-type") {
                self = .contentType
            } else if name.equalsIgnoringCase("x-request-id") {
                self = .xRequestID
            } else {
                self.init(name, "x-event-time", .xEventTime)
            }
        case 13: self.init(name, "authorization", .authorization)
        case 14: self.init(name, "content-length", .contentLength)
        case 15:
            if name.equalsIgnoringCase("idempotency-key") {
                self = .idempotencyKey
            } else {
                self.init(name, "x-forwarded-for", .xForwardedFor)
            }
        case 16: self.init(name, "content-encoding", .contentEncoding)
        case 17: self.init(name, "transfer-encoding", .transferEncoding)
        case 29: self.init(name, "access-control-request-method", .accessControlRequestMethod)
        case 30: self.init(name, "access-control-request-headers", .accessControlRequestHeaders)
        case 38: self.init(name, "access-control-request-private-network", .accessControlRequestPrivateNetwork)
        default: return nil
        }
    }

    private init?(_ name: Bytes, _ lower: StaticString, _ header: Header) {
        guard name.equalsIgnoringCase(lower) else { return nil }
        self = header
    }
}
