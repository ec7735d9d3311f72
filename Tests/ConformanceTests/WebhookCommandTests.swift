import Foundation
import TestSupport
import Testing

/// The commands about webhooks that need no server.
@Suite struct WebhookCommandTests {
    /// It answers as many requests as it was told to, however fast they come.
    @Test func aReceiverTakesNoMoreThanItWasTold() throws {
        let free = try Receiver()
        let port = free.port
        free.close()
        let output = try Scratch.shared.newFolder("receive") + "/log"
        let child = try Child(
            [Server.binary, "webhook", "receive", "--port", "\(port)", "--count", "2"], output: output)
        defer { child.end() }
        try eventually("it listens") { child.said.contains("receiving on") }
        let client = try Client("127.0.0.1:\(port)")
        for _ in 0..<3 { try client.send(Request("POST", "/", body: Array("data=%7B%7D".utf8)).bytes) }
        #expect(try (0..<3).map { _ in try client.receive().status } == [200, 200, 503])
        #expect(child.exit(within: 10) == .code(0))
        #expect(child.said.contains("#2 ") && !child.said.contains("#3 "))
    }

    /// After an activity of a channel such a name would stand twice in one object.
    @Test func aParameterThatTakesANameOfOursIsWarnedOf() throws {
        let folder = try Scratch.shared.newFolder("journeys")
        try writeFile(
            "\(folder)/a.yaml",
            """
            webhooks: {crm: {url: "https://crm.example/hook"}}
            journeys:
              clicked:
                on: {did: sms click}
                do:
                  - {webhook: crm, params: {channel: mine, lead: s2}}
            """)
        let result = try run([Server.binary, "journeys", "check", folder])
        #expect(result.exit == .code(0), "\(result.output)")
        #expect(result.output.contains("warning: journey clicked gives webhook crm a parameter channel"))
        #expect(!result.output.contains("parameter lead"))
    }
}
