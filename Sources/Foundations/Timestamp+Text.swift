extension Timestamp {
    /// `2026-11-22T03:04:05.678901Z`.
    package var iso8601: String {
        func digits(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(width - text.count, 0)) + text
        }
        let inDay = microseconds - day * 86_400_000_000
        let second = inDay / 1_000_000
        let time = [second / 3600, second / 60 % 60, second % 60].map { digits($0, 2) }.joined(separator: ":")
        return "\(CivilDate(daysSince1970: Int(day)))T\(time).\(digits(inDay % 1_000_000, 6))Z"
    }
}
