import Foundations
import Payload

/// Why properties do not fit a frozen activity.
package struct Misfit: Hashable, Sendable {
    /// An RFC 6901 pointer into the properties.
    package let pointer: String
    package let expected: String
    package let found: String
    /// The known name that was probably meant.
    package let nearest: String?
}

/// What an activity carried when it was frozen: the loader holds events against it.
package struct FrozenSchema: Sendable {
    package init(_ summary: ActivitySummary) {}

    /// Reads what `encode` wrote.
    package init(decoding bytes: Bytes) throws(SummaryError) {}

    package func encode(to buffer: inout ByteBuffer) {}

    /// Why the properties do not fit; nil: they do.
    package func check(_ properties: JSONNode) -> Misfit? { nil }

    /// Appends the properties without what is unknown; the rest stands as it came, byte for byte. False, and
    /// nothing is appended: there is nothing to drop.
    package func dropExtras(of properties: JSONNode, to buffer: inout ByteBuffer) -> Bool { false }
}
