import Foundations

extension Configuration.SMTP {
    static let keys = ["host", "port", "security", "user", "password", "from", "ca"]

    /// Reads `smtp`; nil when something in it is wrong.
    init?(_ section: Section, directory: String) {
        section.require("host", "the mail server's name or address")
        section.require("from", "the address that mails come from")
        let host = section.text("host", Check.name)
        let from = section.text("from") { text throws(Refusal) in try Check.mailAddress(text) }
        self.init(host: host ?? "", from: from ?? "")
        let security = section.text("security") { text throws(Refusal) in
            try Check.choice(text, of: Security.self)
        }
        self.security = security ?? self.security
        let usual = self.security == .tls ? 465 : self.security == .none ? 25 : 587
        port = UInt16(section.number("port", in: 1...65_535) ?? usual)
        user = section.text("user", Check.printable)
        password = section.text("password", secret: true, Check.printable)
        ca = section.text("ca") { text throws(Refusal) in try Check.path(text, from: directory) }
        if (user == nil) != (password == nil), section.has("user") != section.has("password") {
            let there = section.has("user") ? "user" : "password"
            let expected = "both, or neither for a server that asks for none"
            section.findings.add(
                Mistake(
                    section.place(of: there),
                    "\(section.path) has a \(there) without the other of user and password",
                    expected: expected))
        }
        if self.security == .none, password != nil {
            let text = "\(section.name("security")) is none: the password goes over the wire for all to see"
            section.findings.warn(section.place(of: "security"), text)
        }
        if host == nil || from == nil { return nil }
    }
}

extension Check {
    /// `name@host`, as SMTP takes it.
    package static func mailAddress(_ text: String) throws(Refusal) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>()[],;:\\\"".utf8.contains($0) }
        if parts.count == 2, parts.allSatisfy({ !$0.isEmpty }), isPlain, text.utf8.count <= 254 {
            return text
        }
        throw Refusal("is no mail address", expected: "one such as waymark@acme.example")
    }
}
