import ArgumentParser
import Testing

@testable import waymark

struct JourneysCommandTests {
    private static var examples: String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return parts.joined(separator: "/") + "/Config/journeys.example"
    }

    private func run(_ arguments: [String]) throws {
        var command = try Waymark.parseAsRoot(["journeys"] + arguments)
        try command.run()
    }

    @Test func theExamplesPassBothCommands() throws {
        try run(["check", Self.examples])
        try run(["simulate", Self.examples])
        try run(["simulate", "\(Self.examples)/scenarios.yaml", "--only", "bought_in_time"])
    }

    @Test(arguments: [["check", "/nowhere"], ["simulate", "/nowhere"], ["simulate", "/nowhere/x.yaml"]])
    func whatIsNotThereIsSaid(arguments: [String]) {
        #expect(throws: (any Error).self) { try run(arguments) }
    }
}
