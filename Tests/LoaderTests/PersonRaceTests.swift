import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// Two servers on one database that learn at the same time, and in another order, who is who.
struct PersonRaceTests {
    @Test(arguments: 1...6)
    func everybodyEndsAtTheSamePersonAndNothingCountsTwice(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let first = try Town(events: 12)
        let towns = [first, try Town(first.database, events: 12)]
        let (sessions, mails) = (24, 5)
        // Whose address each session shows, if any: so who belongs together is known before.
        let mail = (0..<sessions).map { _ in Int.random(in: 0...mails, using: &random) }
        var spent = [Int](repeating: 0, count: mails + 1)
        for _ in 0..<80 {
            let requests = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let session = Int.random(in: 0..<sessions, using: &random)
                var members = [#""spent":1"#]
                if mail[session] > 0, random.chance(50) {
                    members.append(#""email":"m\#(mail[session])@x.de""#)
                }
                spent[mail[session]] += 1
                let json = "{\(members.joined(separator: ","))}"
                return first.request("s\(session)", [TestEvent { $0.properties = Array(json.utf8) }])
            }
            try towns[random.chance(50) ? 0 : 1].node.write(requests)
        }
        // Everybody shows his address at least once.
        let last = (0..<sessions).filter { mail[$0] > 0 }
        for session in last {
            spent[mail[session]] += 1
            let json = #"{"spent":1,"email":"m\#(mail[session])@x.de"}"#
            try towns[session % 2].node.write([
                first.request("s\(session)", [TestEvent { $0.properties = Array(json.utf8) }])
            ])
        }
        for town in towns { try town.node.drain() }

        #expect(towns.map(\.node.loader.metrics.databaseErrors.total) == [0, 0], "seed \(seed)")
        for number in 1...mails {
            let people = try first.database.rows(
                "select distinct person_of(profile_id) from event where session_id = any($1::text[])",
                "{\((0..<sessions).filter { mail[$0] == number }.map { "s\($0)" }.joined(separator: ","))}")
            if mail.contains(number) {
                #expect(people.count == 1, "seed \(seed): m\(number)")
                let sum = try first.database.value(
                    "select traits->>'spent' from profile where id = $1::uuid", people[0][0])
                #expect(sum == "\(spent[number])", "seed \(seed): m\(number)")
            }
        }
        #expect(try first.database.count("select count(*) from alias a join profile p on p.id = a.id") == 0)
        #expect(
            try first.database.count("select count(*) from alias a join alias b on b.id = a.profile_id") == 0)
        for town in towns { try town.node.stop() }
    }

    /// An identity for which events wait becomes somebody's on one server while another event begins to wait for it on
    /// the other: none waits for ever, and it is never two persons'.
    @Test(arguments: 1...4)
    func whatIsAwaitedIsGivenOnceAndMissedByNobody(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let first = try Town(events: 8)
        let towns = [first, try Town(first.database, events: 8)]
        let vouchers = 40
        for number in 0..<vouchers { try towns[number % 2].node.write([first.voucher("V\(number)")]) }
        for town in towns { try town.node.drain() }
        for number in 0..<vouchers {
            var requests = (0..<4).map { _ in first.voucher("V\(number)") }
            for device in ["a", "b"] {
                requests.append(first.request("\(device)\(number)", [.signIn(["voucher_id": "V\(number)"])]))
            }
            for request in requests.shuffled(using: &random) {
                try towns[random.chance(50) ? 0 : 1].node.write([request])
            }
        }
        for town in towns { try town.node.drain() }
        #expect(try first.database.count("select count(*) from waiting") == 0)
        #expect(try first.database.count("select count(*) from event where profile_id is null") == 0)
        #expect(try first.database.count("select count(*) from profile") == vouchers)
        for town in towns { try town.node.stop() }
    }

    /// 10,000 profiles become one; meanwhile no batch takes long.
    @Test func tenThousandProfilesBecomeOne() throws {
        let town = try Town(events: 5000)
        let count = 10_000
        for start in stride(from: 0, to: count, by: 2500) {
            try town.node.write(
                (start..<start + 2500).map { town.request("s\($0)", [.signIn(["email": "one@x.de"])]) })
        }
        try town.node.drain(within: 60)
        // A batch of 5,000 events is too much at once: it is taken in parts.
        #expect(town.node.loader.metrics.batches.total > count / 1000)
        #expect(try town.database.count("select count(*) from profile") == 1)
        #expect(try town.database.count("select count(*) from alias") == count - 1)
        #expect(try town.database.count("select count(distinct person_of(profile_id)) from event") == 1)
        try town.node.stop()
    }
}
