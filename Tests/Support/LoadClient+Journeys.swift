import Foundation

/// What clients do where journeys run: see `JourneyRules`.
extension LoadClient {
    /// What is to be sent later than other things.
    struct Later {
        let at: Double
        let sending: Sending
    }

    mutating func journeyStep() {
        if let first = later.first, first.at <= Moment.now {
            later.removeFirst()
            return send(first.sending, safe: true)
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: send(bigBuy(ids: false), safe: false)
        case 20..<40: send(bigBuy(ids: true), safe: true)
        case 40..<70: fillCart()
        case 70..<80: send(unsaved(marker()))
        case 80..<90: send(lone("begin tour"), safe: true)
        default: send(lone("look"), safe: true)
        }
    }

    /// Sends what would be sent later now: its time may be over, and it counts nevertheless.
    mutating func finishLater() {
        for one in later { send(one.sending, safe: true) }
        later = []
    }

    private mutating func bigBuy(ids: Bool) -> Sending {
        let markers = (0...Int.random(in: 0..<7, using: &random)).map { _ in marker() }
        let events = markers.map { marker in
            let total = Int.random(in: 50..<200, using: &random)
            return event("big buy", marker, #","total":\#(total)"#, hasID: ids)
        }
        return tracked(events, session(), markers)
    }

    /// Most check out in time, some too late, some never.
    private mutating func fillCart() {
        // Most on their own device: on a shared one it may be somebody else who checks out.
        let (cart, session) = (marker(), random.chance(30) ? session() : loner())
        send(tracked([event("fill cart", cart)], session, [cart]), safe: true)
        guard random.chance(60) else { return }
        let marker = marker()
        let out = tracked([event("check out", marker, #","cart":"\#(cart)""#)], session, [marker])
        let at = Moment.now + .random(in: 0...4.5, using: &random)
        later.insert(Later(at: at, sending: out), at: later.firstIndex { $0.at > at } ?? later.count)
    }

    /// By somebody who never says who it is, so that nobody else becomes the same person.
    private mutating func lone(_ type: String) -> Sending {
        let marker = marker()
        return tracked([event(type, marker)], loner(), [marker])
    }

    private mutating func loner() -> String {
        if random.chance(15) { loners += 1 }
        return "\(name)-lone\(loners)"
    }

    private func event(_ type: String, _ marker: String, _ more: String = "", hasID: Bool = true) -> String {
        let id = hasID ? #""id":"id-\#(marker)","# : ""
        return #"{\#(id)"type":"\#(type)","properties":{"m":"\#(marker)"\#(more)}}"#
    }

    private func tracked(_ events: [String], _ session: String, _ markers: [String]) -> Sending {
        let body =
            #"{"source":{"id":"load-web"},"session":{"id":"\#(session)"},"#
            + #""events":[\#(events.joined(separator: ","))]}"#
        return Sending(request: Request("POST", "/track", body: Array(body.utf8)), markers: markers)
    }

    /// Lives on in journeys only, so what becomes of it is told by what fires.
    private mutating func send(_ unsaved: (sending: Sending, marker: String)) {
        let before = books.answers[200, default: 0], refused = books.answers[503, default: 0]
        send(unsaved.sending, safe: false)
        let word: Books.Word =
            books.answers[200, default: 0] > before
            ? .promised : books.answers[503, default: 0] > refused ? .refused : .unknown
        books.note(unsaved: unsaved.marker, word)
    }

    private mutating func unsaved(_ marker: String) -> (Sending, String) {
        let body =
            #"{"source":{"id":"load-web"},"session":{"id":"\#(session())"},"events":[{"type":"wave","#
            + #""properties":{"m":"\#(marker)"},"options":{"save":false}}]}"#
        return (Sending(request: Request("POST", "/track", body: Array(body.utf8)), markers: []), marker)
    }
}
