import Foundation

/// Programs of others that tests hold our bytes against.
package enum Tools {
    /// The repository, found from this file.
    package static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The Python with the packages of `Scripts/python`, which makes it when it is not there.
    package static let python = Result { () throws -> String in
        let made = try run(["\(root)/Scripts/python"], within: 300)
        let path = made.output.split(separator: "\n").last.map(String.init) ?? ""
        guard made.exit == .code(0), access(path, X_OK) == 0 else {
            throw Failure("Scripts/python: \(made.output)")
        }
        return path
    }

    /// A program from `PATH`; nil when this machine has none.
    package static func path(of program: String) -> String? {
        ["/usr/local/bin", "/usr/bin", "/bin"].map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }
}
