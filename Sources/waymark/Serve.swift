import Foundations

/// Runs the server until it is told to stop; the exit status.
func serve(_ configuration: Configuration, path: String) throws -> Int32 {
    printError("waymark: the server is not assembled yet")
    return 1
}
