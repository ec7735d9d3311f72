import Foundations
import Testing

@testable import ConfigurationFile

struct ConfigurationTests {
    @Test(arguments: ["", "# nothing but a comment\n", "{}"])
    func anEmptyFileIsAllDefaults(text: String) throws {
        var expected = Configuration()
        expected.data = "/srv/data"
        let (configuration, warnings) = try read(text)
        #expect(configuration == expected)
        #expect(warnings == ["w.yaml: there are no sources: all events will be answered 401"])
    }

    @Test func everyKeyIsRead() throws {
        let text = """
            listen: ['127.0.0.1:1', '[::1]:2', unix:w.sock]
            data: store
            database: postgres://u:${PASSWORD}@h/db
            panel: 007
            timezone: Asia/Kolkata
            primary_key: mobile
            debug: TRUE
            log: warning
            proxies: [10.0.0.0/8, '::1']
            deduplicate: 2w
            sources:
              - &shop
                id: shop
                kind: [web, backend]
                name: no
                enabled: false
                origins: [https://*.shop.example, HTTPS://SHOP.EXAMPLE:443]
                key: ${KEY}
                allow: Page View
                deny: [a*, '*z']
                denied: quarantine
                returns_profile: true
                static_profile_id: true
                rate: 100/s
              - id: on
                kind: backend
            limits:
              body: 1MiB
              head: 16KiB
              events: 0o17
              depth: 0x5
              connections: 7
              memory: 2MiB
              head_timeout: 1s
              body_timeout: 2s
              minimum_rate: 0
              idle_timeout: 3s
              spool: 64MB
              retain: 2h10m
              retain_bytes: 1000
              address_rate: 6000/m
            """
        let configuration = try read(text, ["PASSWORD": "p", "KEY": "0123456789abcdef"]).configuration
        var expected = Configuration()
        expected.listen = [
            .tcp(host: "127.0.0.1", port: 1), .tcp(host: "::1", port: 2), .unix(path: "/srv/w.sock"),
        ]
        expected.data = "/srv/store"
        expected.database = "postgres://u:p@h/db"
        expected.panel = "007"
        expected.timezone = "Asia/Kolkata"
        expected.primaryKey = "mobile"
        expected.debug = true
        expected.logLevel = "warning"
        expected.trustedProxies = [
            Network(address: IPAddress(v4: 10 << 24), prefix: 104),
            Network(address: IPAddress(high: 0, low: 1), prefix: 128),
        ]
        expected.deduplicate = .days(14)
        var shop = Source(id: "shop", name: "no", kinds: [.web, .backend])
        shop.enabled = false
        shop.origins = ["https://*.shop.example", "https://shop.example"]
        shop.key = "0123456789abcdef"
        shop.allow = ["page-view"]
        shop.deny = ["a*", "*z"]
        shop.denied = .quarantine
        shop.returnsProfile = true
        shop.staticProfileID = true
        shop.rate = Rate(count: 100, microseconds: 1_000_000)
        expected.sources = [shop, Source(id: "on", kinds: [.backend])]
        expected.limits.body = 1 << 20
        expected.limits.head = 16 << 10
        expected.limits.events = 15
        expected.limits.depth = 5
        expected.limits.connections = 7
        expected.limits.memory = 2 << 20
        expected.limits.headTimeout = 1_000_000
        expected.limits.bodyTimeout = 2_000_000
        expected.limits.minimumRate = 0
        expected.limits.idleTimeout = 3_000_000
        expected.limits.spool = 64_000_000
        expected.limits.retain = 7_800_000_000
        expected.limits.retainBytes = 1000
        expected.limits.addressRate = Rate(count: 6000, microseconds: 60_000_000)
        #expect(configuration == expected)
    }

    @Test(arguments: ["on", "off", "yes", "no", "09:00", "1e3", "0b1", "3.14", ".inf", "=", "2026-01-02"])
    func onlyTheCoreSchemaIsMoreThanText(word: String) throws {
        #expect(try read("panel: \(word)").configuration.panel == word)
    }

    @Test func aVariableIsAlwaysATextWhereATextIsWanted() throws {
        #expect(try read("panel: ${A}", ["A": "true"]).configuration.panel == "true")
        #expect(try read("debug: ${A}", ["A": "true"]).configuration.debug)
        #expect(try read("panel: '$${A}'").configuration.panel == "${A}")
    }

    @Test func aSecretThatWasForgottenIsAMistake() {
        let source = "sources: [{id: a, kind: backend, key: "
        #expect(mistakes(source + "}]").count == 1)
        #expect(mistakes(source + "''}]").count == 1)
        #expect(mistakes(source + "'${KEY}'}]", ["KEY": ""]).count == 1)
        #expect(mistakes(source + "'${KEY:-}'}]").count == 1)
        #expect(
            mistakes(source + "'${KEY}'}]") == [
                "w.yaml:1:39: the environment has no variable KEY (expected it to be set, or ${KEY:-default})"
            ])
    }

    @Test func idsAreComparedByteByByte() throws {
        let text = "sources: [{id: \"\\u00e9\", kind: web}, {id: \"e\\u0301\", kind: web}]"
        #expect(try read(text).configuration.sources.count == 2)
        let long = String(repeating: "é", count: 128)
        #expect(mistakes("sources: [{id: \(long), kind: web}]").isEmpty)
        #expect(mistakes("sources: [{id: \(long)x, kind: web}]").count == 1)
    }

    @Test func aByteOrderMarkIsNoKey() throws {
        #expect(try read("\u{FEFF}panel: a").configuration.panel == "a")
    }

    @Test func theAdminApiIsWantedWhenItHasAToken() throws {
        #expect(try !read("admin: {listen: 127.0.0.1:9}").configuration.admin.isWanted)
        let admin = try read("admin: {read_token: '${R}'}", ["R": "0123456789abcdef"]).configuration.admin
        #expect(admin.isWanted)
        #expect(admin.readToken == "0123456789abcdef")
        #expect(admin.writeToken == nil)
        #expect(admin.listen == [.tcp(host: "127.0.0.1", port: 8687)])
        let listening = try read("admin: {listen: [127.0.0.1:1, 'unix:/run/admin']}").configuration.admin
        #expect(listening.listen == [.tcp(host: "127.0.0.1", port: 1), .unix(path: "/run/admin")])
    }

    @Test func theMailServersPortFollowsItsSecurity() throws {
        func smtp(_ text: String) throws -> Configuration.SMTP {
            let text = "smtp: {host: mail.example, from: w@acme.example\(text)}"
            return try #require(try read(text, ["P": "p"]).configuration.smtp)
        }
        #expect(try smtp("").port == 587)
        #expect(try smtp("").security == .starttls)
        #expect(try smtp(", security: tls").port == 465)
        #expect(try smtp(", security: none").port == 25)
        #expect(try smtp(", security: tls, port: 4650").port == 4650)
        #expect(try smtp(", user: u, password: '${P}'").user == "u")
    }

    @Test func whatThisVersionDoesNotDoIsSaid() throws {
        let text = """
            smtp: {host: mail.example, from: a@b.example, security: none, user: u, password: p}
            journeys: ./journeys
            admin: {listen: "*:8687", read_token: 0123456789abcdef}
            proxies: 0.0.0.0/0
            sources:
              - id: a
                kind: web
                key: short
            """
        #expect(
            try read(text).warnings == [
                "w.yaml:1:47: smtp.security is none: the password goes over the wire for all to see",
                "w.yaml:3:17: admin.listen can be reached from other machines: put a reverse proxy with TLS in front",
                "w.yaml:4:10: proxies believes everyone: any client can claim any address",
                "w.yaml:8:5: sources[0].key has no effect: a page could not keep it secret, so /track asks for none",
                "w.yaml:8:5: sources[0].key is short: 16 characters or more are safe",
            ])
    }
}
