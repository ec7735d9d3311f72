import ArgumentParser

struct JourneysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journeys", abstract: "Check, try out, apply and explain journeys.",
        discussion: """
            Journeys, webhooks, segments and scores stand in the YAML files of a folder; docs/journeys.md explains them.

            EXAMPLES
              waymark journeys check                     all mistakes of Config/journeys
              waymark journeys simulate Config/journeys  run its scenarios in virtual time
              waymark journeys plan                      what applying them would change
              waymark journeys apply                     bring them into force on all servers
              waymark journeys backtest high_value_cart  what it would have done with stored events
            """,
        subcommands: [
            JourneysCheckCommand.self, JourneysSimulateCommand.self, JourneysPlanCommand.self,
            JourneysApplyCommand.self, JourneysExportCommand.self, JourneysExplainCommand.self,
            JourneysBacktestCommand.self,
        ])
}
