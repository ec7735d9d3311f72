import Foundations

/// What of an activity its views follow, as a number that is another one when they have to.
struct ViewShape {
    let number: Int64
    let parameters: Int

    private static let hasher = SipHash(k0: 0x7669_6577, k1: 0x7368_6170_65)

    init(_ summary: ActivitySummary) {
        var bytes = ByteBuffer(capacity: 1024)
        let all = summary.parameters
        for parameter in all {
            bytes.append(parameter.path.text)
            bytes.append(UInt8(0))
            for family in parameter.families { bytes.append(family.rawValue) }
            bytes.append(little: UInt64(bitPattern: Int64(parameter.table ?? -1)))
        }
        parameters = all.count
        // Never 0, the number of an activity that has just been added.
        number = Int64(bitPattern: Self.hasher.hash(bytes.bytes)) | 1
    }
}
