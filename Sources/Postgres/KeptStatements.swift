/// Which statements a session keeps prepared, by their text: the server parses and plans them once.
///
/// A pure list; the connection does the talking.
struct KeptStatements {
    struct Statement {
        let name: String
        let types: [UInt32]
    }

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

    mutating func keep(_ sql: String, _ statement: Statement) { kept[sql] = statement }

    /// Its plan is for tables that were changed since: it is prepared anew, under another name.
    mutating func forget(_ sql: String) {
        kept[sql] = nil
        uses[sql] = nil
    }
}
