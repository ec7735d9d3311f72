import Glibc

/// Rows in aligned columns for a terminal, cut where the terminal ends; whole when the output goes elsewhere.
///
///     var table = Table("ACTIVITY", .right("EVENTS"), "LAST SEEN")
///     table.add("page-view", "1042", "2 min ago")
///     table.print()
///
/// Whatever a cell holds stays in it: control characters, which could steer the terminal, are escaped.
struct Table {
    struct Column: ExpressibleByStringLiteral {
        let title: String
        var isRight = false

        init(stringLiteral title: String) { self.title = title }
        init(_ title: String, isRight: Bool) { (self.title, self.isRight) = (title, isRight) }

        /// For numbers.
        static func right(_ title: String) -> Column { Column(title, isRight: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []
    private static let gap = 2
    /// No column is cut to less than this.
    private static let narrowest = 8

    init(_ columns: Column...) { self.columns = columns }

    var isEmpty: Bool { rows.isEmpty }

    /// Missing cells are empty.
    mutating func add(_ cells: String...) { add(cells) }

    mutating func add(_ cells: [String]) {
        precondition(cells.count <= columns.count, "more cells than columns")
        rows.append(cells.map(\.printable) + Array(repeating: "", count: columns.count - cells.count))
    }

    /// Lines without trailing space; `width`: of the terminal, nil for as much as it takes.
    func lines(width: Int?) -> [String] {
        let titled = [columns.map(\.title)] + rows
        var widths = columns.indices.map { i in titled.map { $0[i].columns }.max() ?? 0 }
        if let width { shrink(&widths, to: width) }
        return titled.map { row in
            let cells = row.enumerated().map { i, cell in
                let cell = cell.cut(to: widths[i])
                let space = String(repeating: " ", count: max(widths[i] - cell.columns, 0))
                return columns[i].isRight ? space + cell : cell + space
            }
            let line = cells.joined(separator: String(repeating: " ", count: Self.gap))
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    func print() { for line in lines(width: Self.terminalWidth) { Swift.print(line) } }

    /// Takes from the widest columns that are no numbers, until the line fits.
    private func shrink(_ widths: inout [Int], to width: Int) {
        var excess = widths.reduce(0, +) + Self.gap * (widths.count - 1) - width
        while excess > 0 {
            let candidates = columns.indices.filter { !columns[$0].isRight && widths[$0] > Self.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
            excess -= 1
        }
    }

    /// How many columns the terminal has on standard output; nil when that is no terminal.
    static var terminalWidth: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}

extension String {
    /// With control characters, and those that turn the direction of writing, as `\u{1b}`.
    var printable: String {
        func isSafe(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
            case .format: scalar == "\u{200d}"
            default: true
            }
        }
        if unicodeScalars.allSatisfy(isSafe) { return self }
        return unicodeScalars.map { isSafe($0) ? String($0) : "\\u{\(String($0.value, radix: 16))}" }.joined()
    }

    /// How many columns of a terminal it takes.
    var columns: Int { reduce(0) { $0 + $1.columns } }

    fileprivate func cut(to width: Int) -> String {
        if columns <= width { return self }
        var (text, used) = ("", 0)
        for character in self {
            if used + character.columns > width - 1 { break }
            text.append(character)
            used += character.columns
        }
        return text + "…"
    }
}

extension Character {
    /// 2 for ideographs and emoji, 1 for all others.
    fileprivate var columns: Int {
        guard let first = unicodeScalars.first, first.value >= 0x1100 else { return 1 }
        if first.properties.isEmojiPresentation { return 2 }
        switch first.value {
        case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
            return 2
        default: return unicodeScalars.contains("\u{fe0f}") ? 2 : 1
        }
    }
}

/// `1 event`, `2 events`.
func counted(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
