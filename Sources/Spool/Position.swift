/// A place between two records of the spool: in which segment, and how many bytes from its beginning.
///
/// Every place has exactly one name, and the name never changes: the place between two segments is called by
/// the end of the older one (so the beginning of segment 5 may be called `4/81920`), and the beginning of
/// everything is `0/0`. Positions can therefore be compared, stored, and compared again later.
package struct Position: Comparable, Hashable, Sendable, CustomStringConvertible {
    package let segment: UInt32
    package let offset: UInt32

    @inlinable package init(segment: UInt32, offset: UInt32) {
        self.segment = segment
        self.offset = offset
    }

    /// The beginning of everything.
    package static let start = Position(segment: 0, offset: 0)

    /// As one number that sorts the same way: what is kept in PostgreSQL.
    @inlinable package var rawValue: Int64 { Int64(segment) << 32 | Int64(offset) }
    @inlinable package init(rawValue: Int64) {
        self.init(
            segment: UInt32(truncatingIfNeeded: rawValue >> 32), offset: UInt32(truncatingIfNeeded: rawValue))
    }

    @inlinable package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    package var description: String { "\(segment)/\(offset)" }
}
