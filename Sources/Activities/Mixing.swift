/// Two words folded into one by the halves of their product: quick, and even enough where one of them holds a secret.
@inline(__always) func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
}

extension SummaryLimits {
    @inline(__always) func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        fold(fold(a ^ secret, b ^ otherSecret) ^ otherSecret, secret | 1)
    }

    /// So that the elements of an array and the members of a map have a place among named members.
    static let element: UInt64 = 0x5bd1_e995_97f4_a7c5
    static let anyName: UInt64 = 0x2545_f491_4f6c_dd1d
    static let anyKey: UInt64 = 0xc6a4_a793_5bd1_e995

    /// Tells summaries of different secrets apart without telling the secret.
    var fingerprint: UInt32 { UInt32(truncatingIfNeeded: mix(1, 2)) }
}
