import Testing

@testable import Foundations

@Suite struct UUIDTests {
    @Test func aUUIDReadsWhatItWrote() throws {
        var random = RandomSource()
        for id in [UUID.v4(&random), .v7(at: Timestamp(milliseconds: 1_767_323_045_000), &random)] {
            #expect(UUID(id.description) == id)
            #expect(UUID(id.description.uppercased()) == id)
        }
    }

    @Test(arguments: [
        "", "6e9b2cd0-0c3b-4b1e-9a53-0d8b1c5f7a1", "6e9b2cd0x0c3b-4b1e-9a53-0d8b1c5f7a11",
        "6g9b2cd0-0c3b-4b1e-9a53-0d8b1c5f7a11",
    ])
    func whatIsNotAUUIDIsNil(_ text: String) {
        #expect(UUID(text) == nil)
    }

    @Test func aVersion7IdCarriesItsMillisecond() {
        var random = RandomSource()
        let id = UUID.v7(at: Timestamp(milliseconds: 0x0123_4567_89ab), &random)
        #expect(id.description.hasPrefix("01234567-89ab-7"))
        #expect(id.version == 7)
    }

    @Test func aTimeBefore1970IsRoundedDown() {
        #expect(Timestamp(microseconds: -1).minute == Timestamp(microseconds: -60_000_000))
        #expect(Timestamp(microseconds: -1).day == -1)
    }

    @Test func crc32cIsCastagnolis() {
        "123456789".utf8.withContiguousStorageIfAvailable {
            #expect(crc32c(UnsafeRawBufferPointer($0)) == 0xe306_9283)
        }
    }

    @Test func sipHashIsTheReferencesOwn() {
        let hash = SipHash(k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908)
        #expect(hash.hash(.empty) == 0xabac_0158_050f_c4dc)  // vectors of SipHash-1-3
    }
}
