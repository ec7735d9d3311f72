/// Names one request, so that it can be answered later: which connection, and which of its requests.
///
/// A token of an exchange that is over (answered, or its connection closed) is harmless: nothing happens.
package struct Exchange: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
    let sequence: UInt32
}
