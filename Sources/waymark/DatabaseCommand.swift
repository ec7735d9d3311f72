import ArgumentParser

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Print a connection string of the database, for psql.",
        discussion: """
            It is the configured one, or the embedded PostgreSQL's while `waymark serve` runs. With a password in the \
            configuration, it is in the string.

            EXAMPLES
              psql "$(waymark database)"
              psql "$(waymark database)" -c 'select * from event order by received_at desc limit 10'
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.read().configuration
        let conninfo = try file.conninfo()
        if configuration.database == nil { try file.connect("database").close() }
        print(conninfo)
    }
}
