/// Calls `body` with C strings of all texts, and a null pointer behind them.
func withCStrings<Result>(_ texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result)
    -> Result
{
    let bytes = texts.map { Array($0.utf8CString) }
    let all = bytes.flatMap { $0 }
    return all.withUnsafeBufferPointer { all in
        var pointers: [UnsafePointer<CChar>?] = []
        var offset = 0
        for text in bytes {
            pointers.append(all.baseAddress.map { $0 + offset })
            offset += text.count
        }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { pointers in
            guard let base = pointers.baseAddress else {
                preconditionFailure("an array with an element has a base")
            }
            return body(base)
        }
    }
}

/// libpq's messages end in line ends and may have several lines: as one line.
func trimmingLines(_ text: String) -> String {
    text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: " ")
}
