import Activities
import ArgumentParser
import Postgres

struct ActivitiesSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print an activity's JSON Schema.",
        discussion: """
            It describes the properties of its events (draft 2020-12): all that are stored fit it.

            EXAMPLES
              waymark activities schema product-purchase
              waymark activities schema "Product Purchase" > product-purchase.schema.json
            """)

    @OptionGroup var activity: ActivityArgument
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let connection = try file.connect("activities schema")
        defer { connection.close() }
        guard let schema = try Catalogue.schema(activity.key(connection), connection) else {
            throw ExitCode.failure
        }
        print(schema)
    }
}
