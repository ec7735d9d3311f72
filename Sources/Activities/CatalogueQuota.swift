import Postgres

/// How much the catalogue takes, so that a client who invents names cannot fill the database with them.
///
/// What is over it is counted and reported; the events are stored all the same. A source may bring a quarter of what
/// there may be in all. Servers that learn at the same moment may exceed it by what one flush brings.
package struct CatalogueQuota: Sendable {
    /// Activities in all.
    package let activities: Int
    /// Parameters in all, for each activity that there may be.
    private static let parametersEach = 20

    package struct Count: Sendable, Equatable {
        package var activities = 0
        package var parameters = 0
    }

    package var total = Count()
    /// By the source that sent an activity first.
    package var bySource: [ExactText: Count] = [:]

    package init(activities: Int) { self.activities = activities }

    /// As much of it as is used up.
    init(activities: Int, _ connection: Connection) throws(PostgresError) {
        self.init(activities: activities)
        let rows = try connection.execute(
            "select source, count(*), sum(parameters) from activity where id > 100 group by source")
        for i in 0..<rows.count {
            add(activities: rows.int(i, 1), parameters: rows.int(i, 2), of: ExactText(rows.string(i, 0)))
        }
    }

    /// May this source bring another activity?
    package func admits(activityOf source: ExactText) -> Bool {
        let own = bySource[source]?.activities ?? 0
        return total.activities < activities && own < max(activities / 4, 1)
    }

    /// May an activity of this source get so many parameters more?
    package func admits(parameters more: Int, of source: ExactText) -> Bool {
        let most = activities * Self.parametersEach
        let own = bySource[source]?.parameters ?? 0
        return more <= 0 || total.parameters + more <= most && own + more <= max(most / 4, 500)
    }

    package mutating func add(activities: Int, parameters: Int, of source: ExactText) {
        total.activities += activities
        total.parameters += parameters
        bySource[source, default: Count()].activities += activities
        bySource[source, default: Count()].parameters += parameters
    }
}
