import Foundations

/// One step of the database's schema. Steps are numbered, only ever added, and never changed once released.
package struct Migration: Sendable {
    package let number: Int
    package let name: String
    package let sql: String

    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}
