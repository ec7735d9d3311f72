import Crypto
import Foundations
import Postgres

extension SummaryLimits {
    /// The limits of this installation: what is hashed in its catalogue is hashed under a secret of its own.
    package init(_ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            "select secret from installation", context: "reading the installation's secret")
        guard rows.count == 1 else {
            throw PostgresError(
                .server, "the table installation has no row", context: "reading the installation's secret")
        }
        let key = SymmetricKey(data: Array(rows.bytea(0, 0)))
        let code = Array(HMAC<SHA256>.authenticationCode(for: Array("catalogue".utf8), using: key))
        let words = code.withUnsafeBytes { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
        self.init(secret: words)
    }
}
