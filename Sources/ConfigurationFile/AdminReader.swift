import Foundations

extension Configuration.Admin {
    static let keys = ["listen", "read_token", "write_token"]

    /// Reads `admin`.
    init(_ section: Section, directory: String) {
        self.init()
        let addresses = section.texts("listen", emptyAllowed: false) { text throws(Refusal) in
            try Check.listenAddress(text, from: directory)
        }
        if let addresses {
            listen = addresses.map(\.value)
            for (address, place) in addresses where !address.isLocal {
                let text =
                    "\(section.name("listen")) can be reached from other machines: put a reverse proxy with TLS in front"
                section.findings.warn(place, text)
            }
        }
        readToken = section.text("read_token", secret: true, Check.token)
        writeToken = section.text("write_token", secret: true, Check.token)
        if let readToken, readToken == writeToken {
            let problem = "\(section.name("read_token")) is the same as \(section.name("write_token"))"
            let expected = "two tokens, or the one for writing alone, which may read as well"
            section.findings.add(Mistake(section.place(of: "read_token"), problem, expected: expected))
        }
    }
}

extension Check {
    /// A secret that opens more than one source: too long to be guessed.
    static func token(_ text: String) throws(Refusal) -> String {
        let token = try secret(text)
        guard token.utf8.count >= 16 else {
            throw Refusal(
                "is too short", expected: "16 characters or more, such as `openssl rand -hex 24` makes")
        }
        return token
    }
}

extension Configuration.ListenAddress {
    /// Can only this computer reach it?
    fileprivate var isLocal: Bool {
        switch self {
        case .unix, .tcp("localhost", _), .tcp("::1", _): true
        case .tcp(let host, _): host.hasPrefix("127.")
        }
    }
}
