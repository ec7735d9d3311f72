private import Yams

/// A YAML text as values with places; Yams stays inside this file.
package struct Document {
    /// Nil for a file without a value.
    package private(set) var root: Value?
    private let environment: ((String) -> String?)?
    private let findings: Findings
    /// Keys that `composed` renamed because the same mapping has them again, by place.
    private var renamed: [Place: String] = [:]
    /// Aliases multiply values: what a kilobyte of them can stand for must not fill the memory.
    private var allowance = 100_000

    /// Without an environment `${NAME}` stays as it is written: a reference that somebody else follows, later.
    package init(_ text: String, environment: ((String) -> String?)?, findings: Findings) {
        self.environment = environment
        self.findings = findings
        if let node = composed(text) { root = value(of: node) }
    }

    /// Yams refuses a repeated key and reads no further. So that such a mistake does not hide the others, the
    /// earlier key is renamed (one letter, so that all places stay) and the text is read again.
    private mutating func composed(_ original: String) -> Node? {
        var text = original
        while true {
            do {
                return try Yams.compose(yaml: text)
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let place = Place(context.mark.line, context.mark.column)
                let letter = Unicode.Scalar(0xE000 + UInt32(renamed.count)) ?? "_"
                guard let name = names.first, renamed.count < 100, renamed[place] == nil,
                    let changed = Document.replace(keyAt: place, of: text, by: letter)
                else {
                    let key = quoted(names.first ?? "")
                    findings.add(Mistake(place, "the key \(key) stands twice in one mapping"))
                    return nil
                }
                renamed[place] = name
                text = changed
            } catch {
                findings.add(Document.mistake(error, in: original))
                return nil
            }
        }
    }

    private mutating func value(of node: Node) -> Value? {
        let place = node.mark.map { Place($0.line, $0.column) } ?? Place(1, 1)
        allowance -= 1
        if allowance == 0 { findings.add(Mistake(place, "too many values, with the aliases followed")) }
        if allowance <= 0 { return nil }
        switch node {
        case .scalar(let scalar):
            return .scalar(self.scalar(scalar, place))
        case .sequence(let nodes):
            return .list(nodes.compactMap { value(of: $0) }, place)
        case .mapping(let pairs):
            var entries: [Entry] = []
            for (key, node) in pairs {
                let keyPlace = key.mark.map { Place($0.line, $0.column) } ?? place
                guard case .scalar(let name) = key else {
                    findings.add(Mistake(keyPlace, "a key must be a single name"))
                    continue
                }
                guard let value = value(of: node) else { continue }
                entries.append(Entry(key: renamed[keyPlace] ?? name.string, place: keyPlace, value: value))
            }
            return .map(entries, place)
        case .alias:
            findings.add(Mistake(place, "an alias without its anchor"))
            return nil
        }
    }

    private func scalar(_ scalar: Node.Scalar, _ place: Place) -> Scalar {
        let tag = scalar.tag.description
        var result = Scalar(text: scalar.string, written: scalar.string, isPlain: tag.isEmpty, place: place)
        if !tag.isEmpty, tag != "tag:yaml.org,2002:str" {
            findings.add(Mistake(place, "tags are not used here", found: quoted(tag)))
            result.isBroken = true
        }
        switch expand(scalar.string, environment ?? { _ in "" }) {
        case .text(let text, let usesVariable):
            result.text = environment == nil ? scalar.string : text
            result.usesVariable = usesVariable
        case .mistake(let problem, let expected):
            findings.add(Mistake(place, problem, expected: expected))
            result.isBroken = true
        }
        return result
    }

    /// The text with one letter of the key changed; nil where no plain or quoted key begins.
    private static func replace(keyAt place: Place, of text: String, by letter: Unicode.Scalar) -> String? {
        var scalars = Array(text.unicodeScalars)
        guard var at = offset(of: place, in: scalars), at < scalars.count else { return nil }
        if scalars[at] == "\"" || scalars[at] == "'" { at += 1 }
        let special: [Unicode.Scalar] = ["&", "!", "*", "?", "\\", "\"", "'", "\n", "{", "["]
        guard at < scalars.count, !special.contains(scalars[at]) else { return nil }
        scalars[at] = letter
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        return String(result)
    }

    private static func offset(of place: Place, in scalars: [Unicode.Scalar]) -> Int? {
        var (line, at) = (1, 0)
        while line < place.line {
            guard at < scalars.count else { return nil }
            if isBreak(scalars, at) { line += 1 }
            at += 1
        }
        return at + place.column - 1
    }

    /// A line ends where libyaml sees its end: at LF, CR, CR LF, NEL, LS and PS.
    private static func isBreak(_ scalars: [Unicode.Scalar], _ at: Int) -> Bool {
        switch scalars[at].value {
        case 0x0A, 0x85, 0x2028, 0x2029: true
        case 0x0D: at + 1 == scalars.count || scalars[at + 1] != "\n"
        default: false
        }
    }

    /// Yams's own descriptions repeat the line in question, and with it perhaps a secret: only its reasons are
    /// used.
    private static func mistake(_ error: any Error, in text: String) -> Mistake {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let place = Place(mark.line, mark.column)
            let scalars = Array(text.unicodeScalars)
            let reason = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
            let at = offset(of: place, in: scalars) ?? scalars.count
            let isTab = at < scalars.count && scalars[at] == "\t"
            return Mistake(
                place, "not YAML: \(reason)" + (isTab ? "; indent with spaces, not with tabs" : ""))
        case YamlError.reader(let problem, let offset, _, _):
            let before = text.prefix(offset ?? 0).unicodeScalars
            let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
            return Mistake(Place(max(lines.count, 1), (lines.last?.count ?? 0) + 1), "not YAML: \(problem)")
        default:
            return Mistake(nil, "not YAML")
        }
    }
}
