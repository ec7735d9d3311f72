/// What the operator decides: the contents of `Config/waymark.yaml`, checked.
///
/// Read by `ConfigurationFile`; every key is explained in `docs/configuration.md`. `sources`, `limits`,
/// `debug` and the tokens of `admin` may change while the server runs (SIGHUP); the rest is fixed at the start.
package struct Configuration: Sendable, Equatable {
    /// Where to listen: `127.0.0.1:8686`, `[::1]:8686`, `*:8686` or `unix:/path`.
    package var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 8686)]
    /// The data directory, absolute: spool, installation secret, embedded PostgreSQL.
    package var data = "./data"
    /// A libpq connection string; nil: the embedded PostgreSQL.
    package var database: String?
    package var panel = "waymark"
    /// An IANA time zone.
    package var timezone = "UTC"
    /// The attribute that identifies a person in the panel; nil: none.
    package var primaryKey: String?
    /// Allows `options.debugger`.
    package var debug = false
    package var logLevel = "info"
    /// Networks whose `X-Forwarded-For` is believed.
    package var trustedProxies: [Network] = []
    package var deduplicate: Deduplicate = .days(30)
    /// The silence after which a session has ended, in microseconds.
    package var sessionTimeout: Int64 = 1_800_000_000
    package var sources: [Source] = []
    package var limits = Limits()
    /// The folder with the files of journeys, absolute; nil: not said.
    package var journeys: String?
    package var admin = Admin()
    package var identity = IdentityConfiguration()
    /// Where mails are handed in; nil: none is sent.
    package var smtp: SMTP?

    package init() {}

    /// The admin API. Of its keys, the tokens may change while the server runs.
    package struct Admin: Sendable, Equatable {
        package var listen: [ListenAddress] = [.tcp(host: "127.0.0.1", port: 8687)]
        /// At least 16 characters each, and not the same.
        package var readToken: String?
        package var writeToken: String?

        package init() {}

        /// Without a token nobody could ask anything, and it is not started.
        package var isWanted: Bool { readToken != nil || writeToken != nil }
    }

    /// A mail server.
    package struct SMTP: Sendable, Equatable {
        package enum Security: String, Sendable, CaseIterable { case starttls, tls, none }

        package var host: String
        package var port: UInt16 = 587
        package var security = Security.starttls
        package var user: String?
        package var password: String?
        package var from: String
        /// A file of certificates that are trusted as well.
        package var ca: String?

        package init(host: String, from: String) { (self.host, self.from) = (host, from) }
    }

    package enum ListenAddress: Sendable, Equatable, Hashable {
        /// `host` is a literal address, a name, or `*` for every address, IPv4 and IPv6.
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    package enum Deduplicate: Sendable, Equatable {
        case days(Int)
        case forever

        /// Nil: for ever.
        package var days: Int? {
            if case .days(let days) = self { return days }
            return nil
        }
    }
}

/// Someone who may send events.
package struct Source: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case web, backend }
    package enum Denied: String, Sendable, CaseIterable { case drop, quarantine }

    /// As clients send it; at most 256 bytes.
    package var id: String
    package var name: String
    package var kinds: Set<Kind>
    package var enabled = true
    /// Exact origins (`https://shop.example`), `https://*.shop.example`, or `*` for any; empty: any origin may send.
    package var origins: [String] = []
    /// What a backend has to show (`Authorization`); nil: nothing.
    package var key: String?
    /// Patterns of activity keys, `*` as wildcard; empty: all are allowed.
    package var allow: [String] = []
    package var deny: [String] = []
    package var denied: Denied = .drop
    package var returnsProfile = false
    package var staticProfileID = false
    package var rate: Rate?
    /// Of telephone numbers in its events that do not say it.
    package var country: String?
    package var identify: [IdentityPoint] = []
    package var traits: [TraitMapping] = []
    package var lookup: OutsideLookup?

    package init(id: String, name: String? = nil, kinds: Set<Kind>) {
        self.id = id
        self.name = name ?? id
        self.kinds = kinds
    }
}

/// So many in so long: `100/s`, `6000/m`.
package struct Rate: Sendable, Equatable {
    package var count: Int
    package var microseconds: Int64
    package init(count: Int, microseconds: Int64) {
        self.count = count
        self.microseconds = microseconds
    }
}

/// What bounds a client, and us. Sizes in bytes, times in microseconds.
package struct Limits: Sendable, Equatable {
    /// The largest body of a request, compressed or inflated.
    package var body = 4 << 20
    /// Request line and headers together; a larger head is answered 431.
    package var head = 32 << 10
    package var events = 10_000
    /// How deep objects and arrays of an event may nest.
    package var depth = 100
    package var connections = 20_000
    /// All request bodies together that are being received or waited for.
    package var memory = 32 << 20
    /// From the first byte of a request to the end of its head.
    package var headTimeout: Int64 = 10_000_000
    /// From the end of the head to the end of the body.
    package var bodyTimeout: Int64 = 60_000_000
    /// How slow a body may come, in bytes a second, after the first 5 seconds.
    package var minimumRate = 500
    /// How long a connection may be idle between two requests.
    package var idleTimeout: Int64 = 75_000_000
    /// What the spool may take on disk, in all.
    package var spool = 8 << 30
    /// How long what is in PostgreSQL is kept in the spool as well …
    package var retain: Int64 = 3_600_000_000
    /// … and how much of it at most.
    package var retainBytes = 2 << 30
    /// Activities that the catalogue holds; 0: nothing is learnt of any.
    package var activities = 10_000
    /// Requests from one address; nil: any number.
    package var addressRate: Rate?

    package init() {}
}

/// A network in CIDR notation, `10.1.0.0/16` or `fd00::/8`; IPv4 is kept as `::ffff:a.b.c.d`.
package struct Network: Sendable, Equatable {
    package var address: IPAddress
    /// Of the 128 bits.
    package var prefix: Int
    package init(address: IPAddress, prefix: Int) {
        self.address = address
        self.prefix = prefix
    }

    package func contains(_ other: IPAddress) -> Bool {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)) }
        let (high, low) = (mask(prefix), mask(prefix - 64))
        return (address.high ^ other.high) & high == 0 && (address.low ^ other.low) & low == 0
    }
}
