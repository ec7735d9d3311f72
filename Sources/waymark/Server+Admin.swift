import Admin
import Foundations
import Loader
import Logging
import Spool

/// The admin API within the server.
extension Server {
    /// Nil when no token is configured.
    func makeAdmin() -> AdminServer? {
        AdminServer(
            configuration,
            parts: AdminServer.Parts(
                version: version, send: { [client = outbound.client] in client.send($0, completion: $1) },
                status: { [unowned self] in adminStatus() }),
            logger: logger)
    }

    /// Opens the admin listener; what it is reached at is told after the main listeners, whose first line says that
    /// the server is ready.
    func startAdmin() throws(SystemError) -> [String] {
        do {
            return try admin?.start() ?? []
        } catch {
            throw SystemError(code: error.code, "admin.listen: \(error.operation)", error.subject)
        }
    }

    func reloadAdmin(_ new: Configuration) {
        admin?.update(new)
        if new.admin.listen != configuration.admin.listen || admin == nil && new.admin.isWanted {
            logger.warning("admin.listen, and a first token of admin, take effect with the next start")
        }
    }

    private func adminStatus() -> AdminStatus {
        let spool = spool.status
        return AdminStatus(
            startedAt: startedAt, wrong: readiness().reasons, spoolBytes: spool.bytes,
            spoolCapacity: spool.capacity, backlogBytes: spool.backlogBytes,
            oldestUnloaded: spool.oldestUnloaded)
    }
}
