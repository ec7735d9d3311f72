/// One value of a scanned text on the tape: where it stands, and how many entries belong to it.
///
/// The tape holds a text's values in the order in which they begin; a container's entries follow it at once,
/// an object's as key, value, key, value. 16 bytes each:
///
///     offset u32 · length u32 · span u32 · kind 3 bits, escapes 1, repair 1, (3 unused), depth 24
///
/// While a container is open, `span` is its parent's index + 1 instead: so nesting needs no other stack.
@usableFromInline package struct JSONEntry {
    @usableFromInline var offset: UInt32
    @usableFromInline var length: UInt32
    @usableFromInline var span: UInt32
    @usableFromInline var info: UInt32

    @inline(__always) init(offset: UInt32, length: UInt32, span: UInt32, info: UInt32) {
        self.offset = offset
        self.length = length
        self.span = span
        self.info = info
    }

    static let escapes: UInt32 = 8
    static let repair: UInt32 = 16
    static let deepest: UInt32 = 0xff_ffff
}

/// What a value is.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}
