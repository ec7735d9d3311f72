import Foundations
import Postgres

/// The activities that are frozen, as loaders hold events against them.
package struct FrozenActivities: Sendable {
    package struct Entry: Sendable {
        package let schema: FrozenSchema
        package let extra: Freeze.Extra
    }

    /// Grows with each change; 0: nothing was ever frozen.
    package private(set) var version: Int64 = -1
    private var entries: [ExactText: Entry] = [:]

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }

    package subscript(key: String) -> Entry? { entries[ExactText(key)] }

    /// Reads them again if there was a change; the keys of those that this version cannot read.
    package mutating func refresh(_ connection: Connection) throws(PostgresError) -> [String] {
        let now = try connection.execute("select frozen_version from catalogue_state").int8(0, 0)
        if now == version { return [] }
        let rows = try connection.execute(
            "select key, frozen, frozen_extra from activity where frozen_at is not null")
        var found: [ExactText: Entry] = [:]
        var unreadable: [String] = []
        for i in 0..<rows.count {
            let extra = Freeze.Extra(rawValue: rows.string(i, 2)) ?? .quarantine
            if let schema = try? FrozenSchema(decoding: rows.bytea(i, 1)) {
                found[ExactText(rows.string(i, 0))] = Entry(schema: schema, extra: extra)
            } else {
                unreadable.append(rows.string(i, 0))
            }
        }
        (entries, version) = (found, now)
        return unreadable
    }

    /// The keys of those that are frozen.
    package static func keys(_ connection: Connection) throws(PostgresError) -> [String] {
        let rows = try connection.execute("select key from activity where frozen_at is not null")
        return (0..<rows.count).map { rows.string($0, 0) }
    }
}

/// Freezing and thawing; it takes effect on all servers within two seconds.
package enum Freezing {
    /// There are so many parameters, or so long names, that not all are known: anything would fit.
    package struct TooManyParameters: Error, CustomStringConvertible {
        package var description: String {
            """
            it has more parameters or longer names than are kept, so every name would fit: mend what sends them, \
            delete such events and rebuild the catalogue
            """
        }
    }

    /// Holds an activity to what is known of it now. Where not all names are known, so that none is refused; nil:
    /// there is no such activity. Nothing is frozen if that is so of the properties themselves.
    package static func freeze(
        _ key: String, extra: Freeze.Extra, now: Timestamp, _ connection: Connection
    ) throws -> [String]? {
        guard let summary = try Catalogue.summary(of: key, connection) else { return nil }
        var bytes = ByteBuffer(capacity: 4096)
        let schema = FrozenSchema(summary)
        if schema.shape.others.isUnknown { throw TooManyParameters() }
        schema.encode(to: &bytes)
        let frozen = ByteString(bytes.bytes)
        try connection.transaction(context: "freezing an activity") { () throws(PostgresError) in
            try connection.execute(
                "update activity set frozen_at = $2, frozen_extra = $3, frozen = $4 where key = $1", key, now,
                extra.rawValue, frozen)
            try announce(connection)
        }
        return schema.open
    }

    /// Takes everything again. False: there is no such activity.
    package static func unfreeze(_ key: String, _ connection: Connection) throws(PostgresError) -> Bool {
        try connection.transaction(context: "unfreezing an activity") { () throws(PostgresError) in
            let rows = try connection.execute(
                "update activity set frozen_at = null, frozen_extra = null, frozen = null where key = $1", key
            )
            try announce(connection)
            return rows.affected == 1
        }
    }

    private static func announce(_ connection: Connection) throws(PostgresError) {
        try connection.execute("update catalogue_state set frozen_version = frozen_version + 1")
    }
}
