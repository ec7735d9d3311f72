import Foundations
import Testing

@testable import Identity

/// What is understood of what clients call themselves.
struct UserAgentTests {
    static let cases = UserAgents.table.split(separator: "\n").map { line in
        let parts = line.split(separator: " ⇥", maxSplits: 1)
        return (expected: String(parts[0]), agent: String(parts.count > 1 ? parts[1].dropFirst() : ""))
    }

    static func read(_ text: String) -> UserAgent {
        var text = text
        return text.withUTF8 { UserAgent(Bytes($0)) }
    }

    @Test func thereAreEnough() { #expect(Self.cases.count > 150) }

    @Test(arguments: UserAgentTests.cases)
    func clientsAreWhatTheyAre(expected: String, agent: String) {
        let found = Self.read(agent)
        let parts = [found.device?.rawValue, found.os, found.browser, found.version, found.bot]
        #expect(parts.map { $0 ?? "" }.joined(separator: "|") == expected)
    }

    @Test func everyBotOfTheListIsFoundByItsWord() {
        for (word, name) in Bots.named {
            #expect(Self.read("Mozilla/5.0 (compatible; \(word.description)1.0; +http://x)").bot == name)
        }
        for (word, name) in Bots.libraries { #expect(Self.read("\(word.description)1.0").bot == name) }
    }

    @Test func anythingAtAllIsReadWithoutHarm() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "Mozilla/5.0 (", "Android", ")", " Chrome/", "bot", "Version/", "131.", "_", ";", "\u{0}", "é",
            "/",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0..<12, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            _ = Self.read(text)
        }
    }
}
