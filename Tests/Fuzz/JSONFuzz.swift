import Foundations
import Payload

/// What was taken and repaired is JSON that needs no repair any more and has the same hash; what reads texts and frames
/// takes any bytes.
func fuzzJSON(_ bytes: Bytes) {
    var document = JSONDocument()
    var text = ByteBuffer(capacity: 1024)
    if (try? document.parse(bytes)) != nil {
        var hasher = ContentHasher()
        let hash = hasher.hash(document.root)
        _ = document.root.appendJSON(to: &text)
        _ = EventTime.parse(document.root)
        var again = JSONDocument()
        do { try again.parse(text.bytes) } catch { fatalError("what we wrote is refused: \(error)") }
        precondition(!again.root.needsRepair, "what was repaired needs repair")
        precondition(hasher.hash(again.root) == hash, "what was repaired is another value")
    }
    text.removeAll()
    var form = FormDecoder()
    _ = form.appendJSON(bytes, to: &text)
    do { try document.parse(text.bytes) } catch { fatalError("a form became no JSON: \(error)") }
    text.removeAll()
    _ = ActivityKey.append(label: bytes, to: &text)
    _ = EventTime.parse(bytes)
    _ = Decimal(bytes)
    readFrame(bytes)
}

/// A frame comes from a disk, with a checksum; nothing in it may break the reader all the same.
private func readFrame(_ bytes: Bytes) {
    var reader = FrameReader(bytes)
    while let entry = try? reader.next() {
        guard case .submission(var view) = entry else { continue }
        while let event = try? view.nextEvent() { precondition(event.properties.count <= bytes.count) }
    }
}
