import Foundations
import Testing

@testable import Intake

private let second: UInt64 = 1_000_000_000

@Test func aBucketGivesItsBurstAndThenTheRate() {
    let bucket = TokenBucket(CellRate(Rate(count: 10, microseconds: 1_000_000)))
    let start = 5 * second
    for _ in 0..<10 { #expect(bucket.take(at: start) == nil) }
    #expect(bucket.take(at: start) == second / 10)
    #expect(bucket.take(at: start + second / 10) == nil)
    #expect(bucket.take(at: start + second / 10) != nil)
    // After a pause it is full again, and not fuller.
    for _ in 0..<10 { #expect(bucket.take(at: start + 100 * second) == nil) }
    #expect(bucket.take(at: start + 100 * second) != nil)
}

@Test(arguments: [(1, Int64(60_000_000)), (5, 60_000_000), (100, 1_000_000), (3_000_000, 1_000_000)])
func aRateHoldsOverALongTime(count: Int, microseconds: Int64) {
    let rate = CellRate(Rate(count: count, microseconds: microseconds))
    let bucket = TokenBucket(rate)
    let period = UInt64(microseconds) * 1000
    let tries = UInt64(min(count, 1000) * 7)
    var passed = 0
    for i in 0..<tries * 3 where bucket.take(at: second + i * period / tries) == nil { passed += 1 }
    // Three periods: what a burst gives at once, and what comes in meanwhile.
    #expect(passed <= count * 4)
    #expect(passed >= min(count * 3, Int(tries) * 3))
}

@Test func aRefusedRequestCostsNoToken() {
    let bucket = TokenBucket(CellRate(Rate(count: 1, microseconds: 1_000_000)))
    #expect(bucket.take(at: second) == nil)
    for _ in 0..<100 { #expect(bucket.take(at: second + second / 2) == second / 2) }
    #expect(bucket.take(at: 2 * second) == nil)
}

@Test func addressesHaveBucketsOfTheirOwn() {
    let buckets = AddressBuckets(CellRate(Rate(count: 2, microseconds: 60_000_000)))
    let (a, b) = (IPAddress(v4: 0x0a00_0001), IPAddress(v4: 0x0a00_0002))
    #expect(buckets.take(a, at: second) == nil)
    #expect(buckets.take(a, at: second) == nil)
    #expect(buckets.take(a, at: second) == 30 * second)
    #expect(buckets.take(b, at: second) == nil)
}

@Test func anIPv6AddressCountsByItsNetwork() throws {
    let buckets = AddressBuckets(CellRate(Rate(count: 1, microseconds: 60_000_000)))
    #expect(buckets.take(try #require(IPAddress("2001:db8::1")), at: second) == nil)
    #expect(buckets.take(try #require(IPAddress("2001:db8::2")), at: second) != nil)
    #expect(buckets.take(try #require(IPAddress("2001:db8:0:1::1")), at: second) == nil)
}

@Test func aFloodOfAddressesPushesOutOnlyFullBuckets() {
    let buckets = AddressBuckets(CellRate(Rate(count: 2, microseconds: 60_000_000)), capacity: 64)
    let known = IPAddress(v4: 1)
    _ = buckets.take(known, at: second)
    _ = buckets.take(known, at: second)
    // A minute later theirs are full, so that they may give way to newer ones.
    for i in 0..<10_000 { _ = buckets.take(IPAddress(v4: UInt32(1000 + i)), at: second) }
    #expect(buckets.take(known, at: 100 * second) == nil)
    #expect(buckets.take(known, at: 100 * second) == nil)
    #expect(buckets.take(known, at: 100 * second) != nil)
}

@Test func aReloadKeepsTheBucketsWhoseRateStays() throws {
    let recent = RecentIDs()
    var configuration = Configuration()
    configuration.sources = ["a", "b"].map { id in
        var source = Source(id: id, kinds: [.web])
        source.rate = Rate(count: 1, microseconds: 60_000_000)
        return source
    }
    configuration.limits.addressRate = Rate(count: 1, microseconds: 60_000_000)
    let before = Rules(configuration, recent: recent)
    configuration.sources[1].rate = Rate(count: 2, microseconds: 60_000_000)
    configuration.sources.reverse()
    let after = Rules(configuration, recent: recent, before: before)
    #expect(after.sources[1].bucket === before.sources[0].bucket)
    #expect(after.sources[0].bucket !== before.sources[1].bucket)
    #expect(after.addresses === before.addresses)
    configuration.limits.addressRate = nil
    #expect(Rules(configuration, recent: recent, before: after).addresses == nil)
}

@Test func recentIdsAreRememberedAndForgottenInTurn() {
    let recent = RecentIDs(capacity: 8)
    let source = withBytes("shop") { recent.fingerprint(of: $0) }
    let all = (0..<1000).map { i in
        withBytes("id-\(i)") { RecentID(fingerprint: recent.fingerprint(source: source, id: $0), content: 7) }
    }
    #expect(Set(all).count == 1000)
    for id in all {
        #expect(recent.find(id) == nil)
        recent.insert(id)
        #expect(recent.find(id) == .duplicate)
    }
    #expect(all.count { recent.find($0) != nil } == 8)
    recent.insert(all[999])
    #expect(all.count { recent.find($0) != nil } == 8, "what is there is not put in twice")
}
