import Foundations
import Payload
import Spool
import TestSupport
import Testing

@testable import Loader

/// Cutting the spool into batches, also in the middle of a record.
struct BatchTests {
    let node: Node

    init() throws { node = try Node(Database(conninfo: "")) }

    private func fill(_ batch: Batch, from begin: LoadPosition, events: Int, exactly: Bool = true) throws {
        let reader = try node.spool.reader(from: begin.record)
        try batch.fill(from: reader, begin: begin, events: events, bytes: 1 << 20, exactly: exactly)
    }

    /// Whatever the cuts, every event comes once, under its own request, and every counter once.
    @Test(arguments: 1...30)
    func aSpoolIsTheSameInPiecesOfAnySize(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var wanted: [[String]] = []
        var received = 0
        for r in 0..<Int.random(in: 1...6, using: &random) {
            let requests = (0..<Int.random(in: 0...4, using: &random)).map { q in
                TestRequest(
                    session: "\(r).\(q)",
                    events: (0..<Int.random(in: 0...4, using: &random)).map { _ in TestEvent() })
            }
            for request in requests {
                for event in request.events { wanted.append(["\(event.id)", request.session.text]) }
            }
            received += requests.reduce(0) { $0 + $1.events.count }
            try node.write(requests)
        }
        let batch = Batch()
        var position = LoadPosition.start
        var got: [[String]] = []
        var counted = 0
        while true {
            let size = Int.random(in: 1...5, using: &random)
            try fill(batch, from: position, events: size)
            if batch.isEmpty { break }
            #expect(batch.events.count <= size)
            for event in batch.events {
                got.append(["\(event.view.id)", batch.claims[event.request].session.text])
            }
            for (i, request) in batch.requests.enumerated() {
                #expect(request.events.allSatisfy { batch.events[$0].request == i })
            }
            counted += batch.counts.reduce(0) { $0 + $1.received }
            position = batch.end
        }
        #expect(got == wanted, "seed \(seed)")
        #expect(counted == received, "seed \(seed)")
        #expect(position == LoadPosition(record: node.spool.durable, part: 0))
    }

    @Test func withoutABoundWholeRecordsAreTaken() throws {
        for _ in 0..<3 { try node.write([TestRequest(TestEvent(), TestEvent(), TestEvent())]) }
        let batch = Batch()
        try fill(batch, from: .start, events: 4, exactly: false)
        #expect(batch.events.count == 6)
        #expect(batch.end.part == 0)
    }

    @Test func aRequestWithoutEventsDisturbsNothing() throws {
        try node.write([
            TestRequest(session: "x", events: []), TestRequest(), TestRequest(session: "y", events: []),
        ])
        let batch = Batch()
        try fill(batch, from: .start, events: 10)
        #expect(batch.events.map(\.request) == [1])
        #expect(batch.requests.map(\.events.count) == [0, 1, 0])
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
