import Foundations
import Testing

@testable import ConfigurationFile

/// Reads a text as `w.yaml`, in `/srv`, with these variables.
func read(
    _ text: String, _ environment: [String: String] = [:]
) throws(ConfigurationErrors) -> (configuration: Configuration, warnings: [String]) {
    try parseConfiguration(text, file: "w.yaml", environment: { environment[$0] }, directory: "/srv")
}

/// The mistakes of a text, a line each; empty when it has none.
func mistakes(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    do {
        _ = try read(text, environment)
        return []
    } catch {
        return error.lines
    }
}

struct MistakeTests {
    @Test(arguments: [
        ("lisen: '*:1'", #"1:1: unknown key "lisen" (did you mean "listen"?)"#),
        (
            "zzzzzzz: 1",
            #"""
            1:1: unknown key "zzzzzzz" (expected one of listen, data, database, panel, timezone, primary_key, debug, \#
            log, proxies, deduplicate, sessions, country, identities, traits, sources, limits, smtp, journeys, admin)
            """#
        ),
        ("limits: {bdy: 1KiB}", #"1:10: unknown key "bdy" in limits (did you mean "body"?)"#),
        (
            "sources: [{id: a, kind: web, rates: 1/s}]",
            #"1:30: unknown key "rates" in sources[0] (did you mean "rate"?)"#
        ),
        (
            "debug: yes",
            #"1:8: debug is neither true nor false (expected true or false, without quotes, found "yes")"#
        ),
        (
            "debug: 'true'",
            #"1:8: debug is neither true nor false (expected true or false, without quotes, found "true")"#
        ),
        (
            "panel: true",
            "1:8: panel is not a text (expected a text (in quotes if it looks otherwise), found true)"
        ),
        ("panel: '  '", #"1:8: panel is blank (expected a text, found "  ")"#),
        (
            "panel: [a]",
            "1:8: panel is not a text (expected a text (in quotes if it looks otherwise), found a list)"
        ),
        (
            "panel:\ndebug: true",
            """
            1:7: panel is not a text (expected a text (in quotes if it looks otherwise), found nothing: leave the \
            key out for its default)
            """
        ),
        (
            "log: inf",
            """
            1:6: log is not a level (expected one of trace, debug, info, notice, warning, error, critical, found \
            "inf"; did you mean "info"?)
            """
        ),
        (
            "timezone: Europe/Berln",
            """
            1:11: timezone is not a time zone of this system (expected an IANA time zone such as UTC or \
            Europe/Berlin, found "Europe/Berln"; did you mean "Europe/Berlin"?)
            """
        ),
        (
            "limits: {body: 4 apples}",
            """
            1:16: limits.body is not a size (expected a size such as 4MiB, 64KiB or 4000000 (bytes), found \
            "4 apples")
            """
        ),
        (
            "limits: {body: 64MiB}",
            #"1:16: limits.body is out of range (expected 1KiB to 32MiB, found "64MiB")"#
        ),
        (
            "limits: {memory: 1MiB}",
            """
            1:10: limits.memory is smaller than limits.body: the largest body could never be received \
            (expected at least 4MiB, found 1MiB)
            """
        ),
        (
            "limits: {spool: 16MiB}",
            """
            1:10: limits.spool is too small for limits.body: the largest body could never be written \
            (expected at least 32MiB, found 16MiB)
            """
        ),
        (
            "limits: {events: 0}",
            "1:18: limits.events is no such number (expected a whole number from 1 to 1000000, found 0)"
        ),
        (
            "limits: {events: 1.5}",
            #"1:18: limits.events is no such number (expected a whole number from 1 to 1000000, found "1.5")"#
        ),
        (
            "limits: {head_timeout: 10}",
            "1:24: limits.head_timeout is not a duration (expected a duration such as 500ms, 10s or 2h10m, found 10)"
        ),
        (
            "limits: {address_rate: fast}",
            """
            1:24: limits.address_rate is not a rate (expected so many in so long, such as 100/s or 6000/m, found \
            "fast")
            """
        ),
        (
            "deduplicate: 36h",
            """
            1:14: deduplicate is not a number of days (expected whole days from 1d to 3650d, or forever, found "36h")
            """
        ),
        (
            "listen: '8686'",
            """
            1:9: listen has no port (expected HOST:PORT such as 127.0.0.1:8686, [::1]:8686 or *:8686, or unix:/path, \
            found "8686"; did you mean "127.0.0.1:8686"?)
            """
        ),
        ("listen: ['*:1', '*:1']", "1:17: listen names this address twice (expected each address once)"),
        (
            "proxies: 10.1.2.3/8",
            """
            1:10: proxies has bits behind its prefix (expected the network's first address, found "10.1.2.3/8"; \
            did you mean "10.0.0.0/8"?)
            """
        ),
        (
            "sources: {id: a}",
            #"1:10: sources is not a list (expected a list: lines that start with "- id: …", found a mapping)"#
        ),
        ("sources: [{kind: web}]", "1:11: sources[0] has no id (expected the id that clients send)"),
        ("sources: [{id: a}]", "1:11: sources[0] has no kind (expected web, backend, or [web, backend])"),
        (
            "sources: [{id: a, kind: wb}]",
            #"1:25: sources[0].kind is not known (expected web or backend, found "wb"; did you mean "web"?)"#
        ),
        (
            "sources: [{id: '@a', kind: web}]",
            #"1:16: sources[0].id is reserved (expected an id that does not start with @, found "@a")"#
        ),
        (
            "sources: [{id: a, kind: web}, {id: a, kind: backend}]",
            #"1:32: sources[1].id "a" is another source's, in line 1 (expected each id once)"#
        ),
        (
            "sources: [{id: a, kind: web, origins: [shop.example]}]",
            """
            1:40: sources[0].origins[0] is not an origin (expected scheme://host or scheme://host:port, \
            https://*.shop.example, or *, found "shop.example"; did you mean "https://shop.example"?)
            """
        ),
        (
            "data: ~/waymark",
            #"1:7: data starts with ~, which only shells know (expected a path, or ${HOME}/…, found "~/waymark")"#
        ),
        (
            "- a",
            "1:1: the file is not a mapping (expected a mapping with keys such as listen, data, database, found a list)"
        ),
        (
            "smtp: mail.example",
            "1:7: smtp is not a mapping (expected a mapping, found a value that is not shown)"
        ),
        (
            "smtp: {host: a, from: ops}",
            #"1:23: smtp.from is no mail address (expected one such as waymark@acme.example, found "ops")"#
        ),
        (
            "smtp: {host: a, from: a@b.example, user: x}",
            "1:36: smtp has a user without the other of user and password (expected both, or neither for a server that asks for none)"
        ),
        ("smtp: {from: a@b.example}", "1:7: smtp has no host (expected the mail server's name or address)"),
        (
            "admin: {tokn: x}",
            #"1:9: unknown key "tokn" in admin (expected one of listen, read_token, write_token)"#
        ),
        (
            "admin: {read_token: short-s3cr3t}",
            "1:21: admin.read_token is too short (expected 16 characters or more, such as `openssl rand -hex 24` makes, found a value that is not shown)"
        ),
        (
            "admin: {read_token: 0123456789abcdef, write_token: 0123456789abcdef}",
            "1:9: admin.read_token is the same as admin.write_token (expected two tokens, or the one for writing alone, which may read as well)"
        ),
        ("panel: !!int 5", #"1:8: tags are not used here (found "tag:yaml.org,2002:int")"#),
        ("<<: {debug: true}", nil),
        ("debug: [true", nil),
        ("debug:\n\ttrue", nil),
        ("a: 1\n---\nb: 2", nil),
    ])
    func aMistakeSaysWhereAndWhatAndWhatElse(text: String, line: String?) {
        let lines = mistakes(text)
        #expect(lines.count == 1, "\(lines)")
        if let line { #expect(lines.first == "w.yaml:" + line) }
        #expect(lines.first?.hasPrefix("w.yaml:") == true)
    }

    @Test func allMistakesComeAtOnceInTheOrderOfTheFile() {
        let text = """
            listen: nowhere
            debug: maybe
            debug: true
            sources:
              - id: a
                kind: web
                rate: fast
              - kind: blue
            limits:
              head: 1
              debug: true
            """
        let places = mistakes(text).map { $0.split(separator: ":")[1...2].joined(separator: ":") }
        #expect(places == ["1:9", "2:8", "3:1", "7:11", "8:5", "8:11", "10:9", "11:3"])
    }

    @Test func aRepeatedKeyHidesNothingBehindIt() {
        let text = """
            panel: a
            'panel': b
            panel: c
            sources:
              - {id: x, kind: web, kind: backend}
            nonsense: 1
            """
        let lines = mistakes(text)
        #expect(lines.count == 4, "\(lines)")
        #expect(lines[0] == "w.yaml:2:1: panel is there already, in line 1 (expected each key once)")
        #expect(lines[1] == "w.yaml:3:1: panel is there already, in line 1 (expected each key once)")
        #expect(
            lines[2] == "w.yaml:5:24: sources[0].kind is there already, in line 5 (expected each key once)")
        #expect(lines[3].hasPrefix("w.yaml:6:1: unknown key"))
    }

    @Test(arguments: [
        "database: s3cr3t",
        "database: [s3cr3t]",
        "sources: [{id: a, kind: backend, key: 's3cr3t s3cr3t'}]",
        "sources: [{id: a, kind: backend, key: [s3cr3t]}]",
        "sources: [{id: a, kind: backend, key: 'käse s3cr3t'}]",
        "sources: [{id: a, kind: backend, ky: s3cr3t}]",
        "sources: [{id: a, kind: backend, key: s3cr3t, key: s3cr3t}]",
        "admin: {read_token: ['s3cr3t']}",
        "admin: {read_token: s3cr3t}",
        "admin: {read_token: s3cr3t-and-more-of-it, write_token: s3cr3t-and-more-of-it}",
        "smtp: s3cr3t",
        "listen: ${SECRET}",
        "timezone: ${SECRET}",
        "log: x${SECRET}",
        "sources: [{id: a, kind: web, origins: ['${SECRET}']}]",
        "smtp: {password: s3cr3t",
        "smtp:\n  password: s3cr3t\n   user: x",
    ])
    func aSecretIsNeverRepeated(text: String) {
        let lines = mistakes(text, ["SECRET": "s3cr3t"])
        #expect(!lines.isEmpty)
        #expect(!lines.joined().contains("s3cr3t"), "\(lines)")
    }

    @Test func aMissingFileSaysWhatToDo() {
        #expect(throws: ConfigurationErrors.self) { try readConfiguration(path: "/nowhere/w.yaml") }
        do {
            _ = try readConfiguration(path: "/nowhere/w.yaml")
        } catch {
            #expect(
                error.description.hasPrefix(
                    "/nowhere/w.yaml: there is no such file; name yours with --config"))
        }
    }

    @Test func noTextCrashesTheReader() {
        let pieces = [
            "listen", ": ", "\n", "- ", "  ", "[", "]", "{", "}", "&a ", "*a", "'", "\"", "${", "}", "$${",
            "!!str ",
            "sources", "id", "limits", "\t", "#", "|", ">", "\u{85}", "é", "~", "0x", "1", "<<", "---\n", "?",
            ",",
        ]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 0...14, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            for line in mistakes(text) { #expect(line.hasPrefix("w.yaml:"), "\(text)") }
        }
    }

    @Test func aliasesCannotFillTheMemory() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1...12 {
            let alias = "*a\(i - 1)"
            text += "a\(i): &a\(i) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
        }
        #expect(mistakes(text).contains { $0.contains("too many values") })
    }
}
