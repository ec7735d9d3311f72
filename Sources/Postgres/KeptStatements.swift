/// Which statements a session keeps prepared, by their text: the server parses and plans them once.
///
/// A pure list; the connection does the talking.
struct KeptStatements {
    struct Statement {
        let name: String
        let types: [UInt32]
        /// When it was planned, in monotonic nanoseconds.
        let since: UInt64
    }

    /// So many nanoseconds a plan may be old: it is for tables as large as they were then, and they grow.
    private static let patience: UInt64 = 10_000_000_000

    /// Used so often, a statement is kept: what runs once is not worth the words.
    private static let often = 3
    /// Statements whose text is made up anew each time must not pile up in the server.
    private static let most = 200

    private var uses: [String: Int] = [:]
    private var kept: [String: Statement] = [:]
    private var number = 0

    /// The statement, if it is kept for parameters of these types.
    func find(_ sql: String, _ types: [UInt32]) -> Statement? {
        kept[sql].flatMap { $0.types == types ? $0 : nil }
    }

    /// Counts a use of a statement that is not kept; the name under which to keep it from now on, or nil.
    mutating func use(_ sql: String) -> String? {
        guard kept[sql] == nil, uses.count < Self.most || uses[sql] != nil else { return nil }
        uses[sql, default: 0] += 1
        guard uses[sql] == Self.often else { return nil }
        number += 1
        return "waymark_\(number)"
    }

    /// The name of a statement whose plan is too old; it is not kept from now on.
    mutating func expired(_ sql: String, at now: UInt64) -> String? {
        guard let statement = kept[sql], now - statement.since > Self.patience else { return nil }
        kept[sql] = nil
        uses[sql] = Self.often - 1
        return statement.name
    }

    mutating func keep(_ sql: String, _ statement: Statement) { kept[sql] = statement }

    /// Its plan is for tables that were changed since: it is prepared anew, under another name.
    mutating func forget(_ sql: String) {
        kept[sql] = nil
        uses[sql] = nil
    }
}
