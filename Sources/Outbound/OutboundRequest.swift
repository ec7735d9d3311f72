import Foundations

/// A request to somebody else's server.
///
/// Redirects are never followed, proxies of the environment are ignored, certificates are always verified, and the
/// address that its host resolves to must pass the `AddressGuard`.
package struct OutboundRequest: Sendable {
    package enum Authorization: Sendable, Equatable {
        case basic(user: String, password: String)
        case bearer(String)
    }

    package var method: String
    /// `http` or `https`, without user and password.
    package var url: String
    /// Sent as they are, besides `Host` and `Content-Length`.
    package var headers: [(name: String, value: String)]
    package var authorization: Authorization?
    package var body: [UInt8]
    /// From the look-up of the host's name to the end of the TLS handshake, in milliseconds.
    package var connectTimeout = 5000
    /// For all of it, in milliseconds.
    package var timeout = 15_000
    package var allowNetworks: [Network] = []
    /// A file of certificates in PEM that are trusted as well.
    package var ca: String?
    /// So much of the answer's body is read; when there is more, the connection is closed.
    package var maxResponse = 16 << 10

    package init(
        method: String = "POST", url: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
    }
}

/// What the other server answered, whatever its status is.
package struct OutboundResponse: Sendable {
    package var status: Int
    /// As they came, in their order.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// There was more of it.
    package var isTruncated = false
    /// Of a mail: who does not get it.
    package var refusals: [MailRefusal] = []
    package var milliseconds: Int

    package init(
        status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        isTruncated: Bool = false,
        milliseconds: Int
    ) {
        (self.status, self.headers, self.body) = (status, headers, body)
        (self.isTruncated, self.milliseconds) = (isTruncated, milliseconds)
    }

    /// The first header of this name (in lower case), whatever the case it was sent in.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

/// Why there is no answer.
package struct OutboundError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The request itself cannot be sent: its URL, a header, a file of certificates.
        case invalid
        /// The guard forbids every address of the host that could have been connected to.
        case refused
        case unresolved
        /// Nobody listens there, or the network says no.
        case unconnected
        /// No certificate that is trusted, or no common ground.
        case tls
        case timeout
        /// The connection broke, or what came is no HTTP.
        case broken
        /// We are shutting down.
        case stopped
    }

    package var kind: Kind
    /// libcurl's, 0 when it is not its fault.
    package var code: Int32 = 0
    package var message: String
    /// How long it was tried.
    package var milliseconds = 0

    package init(kind: Kind, code: Int32 = 0, message: String, milliseconds: Int = 0) {
        (self.kind, self.code, self.message, self.milliseconds) = (kind, code, message, milliseconds)
    }

    package var description: String { message }
}
