import ArgumentParser

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Look at a person.",
        discussion: """
            EXAMPLES
              waymark profile show --email ada@example.org
              waymark profile show 0198c5f2-7b7e-8a3c-9d4e-5f60718293a4
            """,
        subcommands: [ProfileShowCommand.self])

    @OptionGroup var file: ConfigurationOption

    func run() throws { throw CleanExit.helpRequest(self) }
}
