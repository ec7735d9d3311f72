import ArgumentParser
import ConfigurationFile

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the server in the foreground.",
        discussion: """
            Answers from the first moment, and prints `listening on ADDRESS` on standard error once it can be reached. \
            SIGHUP reads sources, limits, debug and the admin tokens again; SIGTERM and SIGINT finish what is in flight \
            and exit with 0.

            EXAMPLES
              waymark serve
              waymark serve --config /etc/waymark/waymark.yaml
              kill -HUP "$(pgrep -x waymark)"      after a change of sources or limits
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let (configuration, warnings) = try file.read()
        startLogging(level: configuration.logLevel)
        for warning in warnings { printError("warning: \(warning)") }
        let status = try serve(configuration, path: file.path)
        if status != 0 { throw ExitCode(status) }
    }
}
