import Foundations
import Spool

/// Runs the server until it is told to stop; the exit status.
func serve(_ configuration: Configuration, path: String) throws -> Int32 {
    do {
        return try Server(configuration, path: path).run()
    } catch SpoolError.locked(let path, let pid) {
        let who = pid > 0 ? "process \(pid)" : "another process"
        printError("waymark: the data directory is in use by \(who) (\(path)): one server for each `data`")
        return 1
    } catch let error as SystemError {
        printError("waymark: cannot start: \(error)")
        return 1
    } catch let error as SpoolError {
        printError("waymark: cannot start: \(error)")
        return 1
    }
}
