private import Crypto
import Foundations

/// The two tokens, as their SHA-256: two digests are compared in the same time whatever they are.
struct Tokens: Sendable, Equatable {
    private let read: [UInt8]?
    private let write: [UInt8]?

    init(_ configuration: Configuration.Admin) {
        read = configuration.readToken.map { Tokens.digest(Array($0.utf8)) }
        write = configuration.writeToken.map { Tokens.digest(Array($0.utf8)) }
    }

    /// What the token of an `Authorization` header allows; nil: nothing. Both are always compared.
    func access(of header: Bytes?) -> Endpoint.Access? {
        guard let header = header?.trimmed, header.count > 7,
            header.slice(0..<7).equalsIgnoringCase("bearer ")
        else { return nil }
        let shown = Tokens.digest(Array(header.slice(7..<header.count).trimmed))
        let (reads, writes) = (Tokens.equal(shown, read), Tokens.equal(shown, write))
        return writes ? .write : reads ? .read : nil
    }

    private static func digest(_ token: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: token)) }

    private static func equal(_ shown: [UInt8], _ known: [UInt8]?) -> Bool {
        guard let known else { return false }
        var difference: UInt8 = 0
        for i in 0..<min(shown.count, known.count) { difference |= shown[i] ^ known[i] }
        return difference == 0 && shown.count == known.count
    }
}
