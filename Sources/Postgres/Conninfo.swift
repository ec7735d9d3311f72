internal import CLibpq

/// What can be said about a connection string without connecting.
package enum Conninfo {
    /// For messages: where it leads and as whom, never the password.
    package static func describe(_ conninfo: String) -> String {
        guard let fields = try? parse(conninfo).get() else { return "the database" }
        let parts = ["host", "hostaddr", "port", "dbname", "user"].compactMap { key in
            fields[key].map { "\(key)=\($0)" }
        }
        return parts.isEmpty ? "the default database" : parts.joined(separator: " ")
    }

    /// What is wrong with it, or nil. It is not said where: libpq would quote the password.
    package static func problem(in conninfo: String) -> String? {
        switch parse(conninfo) {
        case .success: nil
        case .failure(let error): error.message
        }
    }

    /// A value for `key=value`, between quotes if it needs them.
    package static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            switch byte {
            case 45...57, 65...90, 95, 97...122: true  // - . / digits, letters, _
            default: false
            }
        }
        if isPlain, !value.isEmpty { return value }
        return "'" + value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }

    struct Malformed: Error { let message: String }

    static func parse(_ conninfo: String) -> Result<[String: String], Malformed> {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(conninfo, &message) else {
            let text = message.map { trimmingLines(String(cString: $0)) } ?? "out of memory"
            if let message { PQfreemem(message) }
            // Up to the first quotation mark: what follows is a part of the string itself.
            let safe = text.prefix { $0 != "\"" }
            return .failure(Malformed(message: safe.count == text.count ? text : safe + "…"))
        }
        defer { PQconninfoFree(options) }
        var fields: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { fields[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return .success(fields)
    }
}
