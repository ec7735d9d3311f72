import Foundations

/// Where mails are handed in: `smtp` of the configuration.
package struct MailServer: Sendable, Equatable {
    package enum Security: String, Sendable, CaseIterable {
        /// TLS after a greeting in the clear; without it nothing is sent.
        case starttls
        /// TLS from the first byte.
        case tls
        case none
    }

    package var host: String
    package var port: UInt16
    package var security = Security.starttls
    package var user: String?
    package var password: String?
    /// Whom mails come from.
    package var from: String
    /// A file of certificates in PEM that are trusted as well.
    package var ca: String?

    package init(host: String, port: UInt16 = 587, from: String) {
        (self.host, self.port, self.from) = (host, port, from)
    }
}

/// A mail as it goes over the wire: CRLF at line ends; dots at their beginning are libcurl's matter.
package struct OutboundMail: Sendable {
    package var server: MailServer
    package var to: [String]
    package var message: [UInt8]
    package var timeout = 30_000

    package init(server: MailServer, to: [String], message: [UInt8]) {
        (self.server, self.to, self.message) = (server, to, message)
    }
}

/// What the server said to a recipient that it did not take, while it took others.
package struct MailRefusal: Sendable, Equatable {
    package var address: String
    /// `550 no such user`
    package var reply: String
    /// It may take the address later (RFC 5321, 4.2.1).
    package var isTemporary: Bool { reply.hasPrefix("4") }

    package init(address: String, reply: String) { (self.address, self.reply) = (address, reply) }
}
