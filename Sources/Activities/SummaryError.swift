/// Bytes that are no summary, or one that was made under another secret or by a later version.
package struct SummaryError: Error, CustomStringConvertible {
    package let wanted: String
    package let offset: Int
    package var description: String {
        "a kept summary cannot be read: \(wanted) was expected at byte \(offset)"
    }
}
