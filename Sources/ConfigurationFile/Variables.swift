/// A text whose variables were filled in, or why that failed.
package enum Expanded: Equatable {
    case text(String, usesVariable: Bool)
    case mistake(problem: String, expected: String)
}

/// Fills in `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself. What a variable holds is not read again.
///
/// As in a shell, the default takes the place of a variable that is missing or empty.
package func expand(_ text: String, _ environment: (String) -> String?) -> Expanded {
    var result = ""
    var rest = text[...]
    var uses = false
    while let dollar = rest.firstIndex(of: "$") {
        result += rest[..<dollar]
        rest = rest[dollar...]
        if rest.hasPrefix("$${") {
            result += "${"
            rest = rest.dropFirst(3)
            continue
        }
        guard rest.hasPrefix("${") else {
            result += "$"
            rest = rest.dropFirst()
            continue
        }
        guard let end = rest.firstIndex(of: "}") else {
            return .mistake(problem: "a variable has no end", expected: "${NAME}, or $${ for the text ${")
        }
        let inside = rest[rest.index(dollar, offsetBy: 2)..<end]
        let colon = inside.firstIndex(of: ":")
        let name = String(inside[..<(colon ?? inside.endIndex)])
        let fallback = colon.map { inside[$0...].dropFirst() }
        guard isVariableName(name), fallback.map({ $0.first == "-" }) ?? true else {
            return .mistake(problem: "not a variable's name", expected: "${NAME} or ${NAME:-default}")
        }
        var value = environment(name)
        if let fallback, value ?? "" == "" { value = String(fallback.dropFirst()) }
        guard let value else {
            return .mistake(
                problem: "the environment has no variable \(name)",
                expected: "it to be set, or ${\(name):-default}")
        }
        result += value
        uses = true
        rest = rest[end...].dropFirst()
    }
    return .text(result + rest, usesVariable: uses)
}

private func isVariableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(48...57).contains(first) else { return false }
    return name.utf8.allSatisfy { byte in
        byte == 95 || (48...57).contains(byte) || (97...122).contains(byte | 32)
    }
}
