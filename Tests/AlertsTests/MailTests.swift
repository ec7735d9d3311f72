import Foundation
import Foundations
import Logging
import Outbound
import Postgres
import TestSupport
import Testing

@testable import Alerts

/// Mails through a real SMTP server, read by a mail library.
@Suite(.serialized) struct MailTests {
    /// aiosmtpd with STARTTLS and a password; each mail becomes a line of JSON.
    private static let sink = """
        import sys, ssl, json, email, email.policy, time
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
        refused = {}
        class Sink:
            async def handle_RCPT(self, server, session, envelope, address, options):
                name = address.split('@')[0]
                if name == 'nobody': return '550 no such user'
                if name.startswith('later') and refused.setdefault(name, 0) < 1:
                    refused[name] += 1
                    return '450 come again'
                envelope.rcpt_tos.append(address)
                return '250 OK'
            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                part = lambda kind: mail.get_body(preferencelist=(kind,)).get_content()
                print(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'subject': mail['Subject'],
                    'type': mail.get_content_type(), 'plain': part('plain'), 'html': part('html'), 'id': mail['Message-ID'],
                    'date': str(mail['Date']), 'tls': session.ssl is not None, 'user': session.authenticated}), flush=True)
                return '250 OK'
        def check(server, session, envelope, mechanism, data):
            return AuthResult(success=data.login == b'waymark' and data.password == 's3cr3t ü'.encode())
        context = None
        if sys.argv[1] != 'none':
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
        options = dict(hostname='127.0.0.1', port=int(sys.argv[4]))
        if sys.argv[1] == 'starttls':
            options.update(tls_context=context, require_starttls=True, authenticator=check, auth_required=True)
        if sys.argv[1] == 'tls': options.update(ssl_context=context)
        controller = Controller(Sink(), **options)
        controller.start()
        print('port', controller.server.sockets[0].getsockname()[1], flush=True)
        time.sleep(600)
        """

    final class Sink {
        let child: Child
        let port: UInt16
        let certificate: String

        init(_ security: String, port wanted: Int = 0) throws {
            let folder = try Scratch.shared.newFolder("smtp")
            certificate = "\(folder)/certificate.pem"
            let made = try run([
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                "\(folder)/key.pem", "-out", certificate,
            ])
            guard made.exit == .code(0) else { throw Failure(made.output) }
            try writeFile("\(folder)/sink.py", MailTests.sink)
            var port = wanted
            if wanted == 0 {
                let free = try Receiver()
                port = free.port
                free.close()
            }
            let child = try Child(
                [
                    try Tools.python.get(), "\(folder)/sink.py", security, certificate, "\(folder)/key.pem",
                    "\(port)",
                ],
                output: "\(folder)/log")
            self.child = child
            self.port = UInt16(port)
            _ = try eventually("the sink listens: \(child.said)") {
                child.said.contains("port ") ? true : nil
            }
        }

        deinit { child.end() }

        var mails: [[String: Any]] {
            child.said.split(separator: "\n").compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }

        func server(_ security: MailServer.Security) -> MailServer {
            var server = MailServer(host: "127.0.0.1", port: port, from: "waymark@acme.example")
            server.security = security
            server.ca = certificate
            if security == .starttls { (server.user, server.password) = ("waymark", "s3cr3t ü") }
            return server
        }
    }

    private func exchange(_ mail: OutboundMail) throws -> Result<OutboundResponse, OutboundError> {
        let client = try OutboundClient(logger: Logger(label: "test"))
        let answer = Locked<Result<OutboundResponse, OutboundError>?>(nil)
        client.send(mail) { result in answer.withLock { $0 = result } }
        return try eventually("an answer") { answer.withLock { $0 } }
    }

    static var message: MailMessage {
        MailMessage(
            from: "waymark@acme.example", to: ["ops@acme.example"], subject: "Webhook für Ünïcode 🎉 fails",
            plain: "Über\n.\n..dots\ntrailing \n" + String(repeating: "long & wide = ", count: 20) + "\n",
            html: "<p>Über</p>\n", date: Timestamp(seconds: 1_795_327_200), token: "t1")
    }

    @Test(arguments: [MailServer.Security.starttls, .tls, .none])
    func arrivesReadableInBothForms(_ security: MailServer.Security) throws {
        let sink = try Sink(security.rawValue)
        let server = sink.server(security)
        _ = try exchange(OutboundMail(server: server, to: ["ops@acme.example"], message: Self.message.bytes))
            .get()
        let mail = try eventually("a mail") { sink.mails.first }
        #expect(mail["from"] as? String == "waymark@acme.example")
        #expect(mail["to"] as? [String] == ["ops@acme.example"])
        #expect(mail["subject"] as? String == "Webhook für Ünïcode 🎉 fails")
        #expect(mail["type"] as? String == "multipart/alternative")
        let plain = (mail["plain"] as? String)?.replacingOccurrences(of: "\r\n", with: "\n")
        #expect(plain == Self.message.plain + "\n" || plain == Self.message.plain)
        #expect((mail["html"] as? String)?.contains("<p>Über</p>") == true)
        #expect(mail["date"] as? String == "Sun, 22 Nov 2026 06:00:00 +0000")
        #expect(mail["tls"] as? Bool == (security == .starttls))  // aiosmtpd notes the upgrade alone
        #expect((mail["user"] as? Bool ?? false) == (security == .starttls))
    }

    @Test func aWrongPasswordOrAnUnknownCertificateIsSaid() throws {
        let sink = try Sink("starttls")
        var server = sink.server(.starttls)
        server.password = "wrong"
        var mail = OutboundMail(server: server, to: ["ops@acme.example"], message: Self.message.bytes)
        #expect(throws: OutboundError.self) { try exchange(mail).get() }
        mail.server = sink.server(.starttls)
        mail.server.ca = nil
        let error = #expect(throws: OutboundError.self) { try exchange(mail).get() }
        #expect(error?.kind == .tls)
        // STARTTLS is not left out because somebody in between says that there is none.
        let plain = try Sink("none")
        mail.server.port = plain.port
        #expect(throws: OutboundError.self) { try exchange(mail).get() }
        #expect(sink.mails.isEmpty && plain.mails.isEmpty)
    }

    @Test(arguments: ["a@b.example\r\nRCPT TO:<x@y>", "no address", "a@b>"])
    func anAddressThatSaysMoreIsRefused(_ address: String) throws {
        let server = MailServer(host: "127.0.0.1", port: 9, from: "waymark@acme.example")
        let error = #expect(throws: OutboundError.self) {
            try exchange(OutboundMail(server: server, to: [address], message: [])).get()
        }
        #expect(error?.kind == .invalid)
    }

    // MARK: The alerter

    private final class Site {
        let database: Database
        let client: OutboundClient
        /// Instead of the usual rule.
        let audience = Locked<AlertAudience?>(nil)

        init() throws {
            database = try PostgresServer.shared.get().makeDatabase()
            let connection = try Connection(database.conninfo, name: "test")
            try migrate(connection, Schema.migrations)
            connection.close()
            client = try OutboundClient(logger: Logger(label: "test"))
            try database.run(
                """
                insert into webhook (name, definition, applied_at, changed_at) values ('crm', '{}', now(), now())
                """)
        }

        func fail(_ count: Int) throws {
            try database.run(
                """
                update webhook set failures = failures + \(count), failing_since = coalesce(failing_since, now()),
                    last_failure_at = now(), failure_status = 503, failure_error = 'status 503',
                    failure_excerpt = '<b>no</b> & never', last_status = 503, last_error = 'status 503',
                    last_excerpt = '<b>no</b> & never'
                """)
        }

        func work() throws {
            try database.run(
                """
                update webhook set failing_since = null, last_success_at = now(), last_status = 200, last_error = null,
                    last_excerpt = 'thank you'
                """)
        }

        func alerter(_ server: MailServer?, every: Int64) -> Alerter {
            let alerter = Alerter(server: server, client: client, every: 20, logger: Logger(label: "test")) {
                [audience] _, _ in
                let rule = AlertRule(to: ["ops@acme.example"], every: every * 1_000_000, recovery: true)
                return audience.withLock { $0 } ?? .told(rule, label: "Call centre")
            }
            alerter.use(database.conninfo)
            return alerter
        }
    }

    @Test func aHundredThousandFailuresAreOneMailAndSurviveARestart() throws {
        let sink = try Sink("none")
        let site = try Site()
        try site.database.run(
            """
            insert into delivery (bucket, id, webhook, state, ordinal, next_at, created_at, envelope, body)
            select i, gen_random_uuid(), 'crm', case when i < 5 then 'queued' else 'failed' end, i, now(),
                now() - interval '3 hours', 'form acme', '{}' from generate_series(1, 7) i
            """)
        let first = site.alerter(sink.server(.none), every: 3600)
        try site.fail(1)
        let mail = try eventually("a mail") { sink.mails.first }
        #expect(mail["subject"] as? String == "Webhook crm fails: 1 failed attempt")
        let plain = try #require(mail["plain"] as? String)
        for text in [
            "Deliveries to Call centre fail.", "crm (Call centre)", "Failing since:", "1 since the last mail",
            "status 503",
            "<b>no</b> & never", "4 deliveries", "Oldest waiting:", "for 3 h",
            "waymark webhook replay crm --since 14d",
        ] { #expect(plain.contains(text), "\(text) is not in \(plain)") }
        #expect((mail["html"] as? String)?.contains("&lt;b&gt;no&lt;/b&gt; &amp; never") == true)
        for _ in 0..<10 { try site.fail(10_000) }
        first.stop()
        let second = site.alerter(sink.server(.none), every: 3600)
        defer { second.stop() }
        try site.work()
        try eventually("the recovery") { sink.mails.count == 2 }
        #expect(sink.mails[1]["subject"] as? String == "Webhook crm works again")
        #expect((sink.mails[1]["plain"] as? String)?.contains("100000 since the last mail") == true)
        try eventually("it is noted") {
            try site.database.value("select mailed_failures from alert") == "100001"
        }
    }

    @Test func aMailAboutWhatFailedForAWhileQuotesTheFailure() throws {
        let sink = try Sink("none")
        let site = try Site()
        try site.fail(2)
        try site.work()
        let alerter = site.alerter(sink.server(.none), every: 3600)
        defer { alerter.stop() }
        let plain = try #require(try eventually("a mail") { sink.mails.first }["plain"] as? String)
        for text in ["the last one arrived", "status 503", "<b>no</b> & never", "Last success:"] {
            #expect(plain.contains(text), "\(text) is not in \(plain)")
        }
        #expect(!plain.contains("thank you") && !plain.contains("200"), "\(plain)")
    }

    @Test func aMailThatCannotBeSentIsTriedAgainAndShown() throws {
        let gone = try Receiver()
        gone.close()
        let site = try Site()
        var server = MailServer(host: "127.0.0.1", port: UInt16(gone.port), from: "waymark@acme.example")
        server.security = .none
        let alerter = site.alerter(server, every: 1)
        defer { alerter.stop() }
        try site.fail(1)
        try eventually("the fault is shown") {
            alerter.fault?.contains("the mail about webhook crm cannot be sent") == true
        }
        #expect(try site.database.value("select tries from alert") == "1")
        let sink = try Sink("none", port: gone.port)
        try site.database.run("update alert set try_at = now()")
        try eventually("the mail") { sink.mails.count == 1 }
        // Nothing has failed for good yet; what will is replayed by this.
        let plain = try #require(sink.mails[0]["plain"] as? String)
        #expect(plain.contains("waymark webhook replay crm --since 14d"), "\(plain)")
        try eventually("no fault") { alerter.fault == nil }
    }

    @Test func withoutAMailServerItIsSaid() throws {
        let site = try Site()
        let alerter = site.alerter(nil, every: 1)
        defer { alerter.stop() }
        try site.fail(1)
        try eventually("the fault is shown") { alerter.fault?.contains("no smtp is configured") == true }
    }

    @Test func aNewRuleIsForWhatFailsFromThenOn() throws {
        let sink = try Sink("none")
        let site = try Site()
        site.audience.withLock { $0 = .nobody }
        let alerter = site.alerter(sink.server(.none), every: 3600)
        defer { alerter.stop() }
        try site.fail(3)
        try eventually("nobody is to be told of these") {
            try site.database.value("select mailed_failures from alert") == "3"
        }
        site.audience.withLock { $0 = nil }
        try site.fail(1)
        let mail = try eventually("a mail") { sink.mails.first }
        #expect(mail["subject"] as? String == "Webhook crm fails: 1 failed attempt")
        #expect((mail["plain"] as? String)?.contains("Last status:") == true)
    }

    @Test func aRuleThatIsTakenAwayComplainsNoMore() throws {
        let site = try Site()
        let alerter = site.alerter(nil, every: 1)
        defer { alerter.stop() }
        try site.fail(1)
        try eventually("the fault is shown") { alerter.fault != nil }
        site.audience.withLock { $0 = .nobody }
        try eventually("no fault") { alerter.fault == nil }
    }

    /// A server without a variable leaves a mail to the others, the recovery too.
    @Test func whoCannotSayWhomToTellLeavesItToOthers() throws {
        let sink = try Sink("none")
        let (blind, site) = (try Site(), try Site())
        blind.audience.withLock { $0 = .unknown("OPS is not set") }
        let first = blind.alerter(sink.server(.none), every: 3600)
        defer { first.stop() }
        first.use(site.database.conninfo)
        try site.fail(1)
        try eventually("it says so") { first.fault?.contains("OPS is not set") == true }
        #expect(try site.database.count("select count(*) from alert") == 0)
        let second = site.alerter(sink.server(.none), every: 3600)
        defer { second.stop() }
        try eventually("a mail") { sink.mails.count == 1 }
        try site.work()
        try eventually("the recovery") { sink.mails.count == 2 }
        try eventually("nothing is left to be said") { first.fault == nil }
    }

    @Test func thatAWebhookIsDisabledIsToldThoughNothingElseFailed() throws {
        let sink = try Sink("none")
        let site = try Site()
        let alerter = site.alerter(sink.server(.none), every: 1)
        defer { alerter.stop() }
        try site.fail(1)
        try eventually("a mail") { sink.mails.count == 1 }
        try eventually("it is noted") { try site.database.value("select mailed_failures from alert") == "1" }
        try site.database.run(
            "update webhook set state = 'disabled', reason = 'no success for 10m', changed_at = clock_timestamp()"
        )
        try eventually("another one") { sink.mails.count == 2 }
        #expect(sink.mails[1]["subject"] as? String == "Webhook crm is disabled")
        let plain = try #require(sink.mails[1]["plain"] as? String)
        #expect(
            plain.contains("disabled: no success for 10m") && !plain.contains("Failed attempts:"), "\(plain)")
        #expect(plain.contains("waymark webhook enable crm"))
        pause(1.5)
        #expect(sink.mails.count == 2)
    }

    /// Who is put off gets the same mail later, who is refused is shown, and nobody gets it twice.
    @Test func whomAMailDoesNotReachIsTriedAgainOrShown() throws {
        let sink = try Sink("none")
        let site = try Site()
        func tell(_ names: String...) {
            let rule = AlertRule(to: names.map { "\($0)@acme.example" }, every: 3_600_000_000, recovery: true)
            site.audience.withLock { $0 = .told(rule, label: "Call centre") }
        }
        tell("nobody", "a", "later", "b")
        let alerter = site.alerter(sink.server(.none), every: 3600)
        defer { alerter.stop() }
        try site.fail(1)
        try eventually("a mail") { sink.mails.count == 1 }
        try eventually("the fault is shown") {
            alerter.fault
                == "the mail about webhook crm did not reach nobody@acme.example (550 no such user), "
                + "later@acme.example (450 come again)"
        }
        try eventually("the mail for who was put off") { sink.mails.count == 2 }
        #expect(
            sink.mails.map { $0["to"] as? [String] } == [
                ["a@acme.example", "b@acme.example"], ["later@acme.example"],
            ])
        #expect(sink.mails[0]["id"] as? String == sink.mails[1]["id"] as? String)
        try eventually("one is left") {
            alerter.fault == "the mail about webhook crm did not reach nobody@acme.example (550 no such user)"
        }
        tell("a", "later", "b")
        try eventually("nobody is left") { alerter.fault == nil }
        #expect(sink.mails.count == 2)
    }

    /// It is tried again in minutes only; until then `/readyz` says what is wrong.
    @Test func whatFailedBeforeAStartIsShownAtOnce() throws {
        let sink = try Sink("none")
        let site = try Site()
        try site.fail(1)
        try site.database.run(
            "insert into alert (webhook, try_at, tries, error) values ('crm', now() + '15 min', 5, 'no route')"
        )
        let alerter = site.alerter(sink.server(.none), every: 1)
        defer { alerter.stop() }
        try eventually("the fault is shown") { alerter.fault?.contains("no route") == true }
    }
}
