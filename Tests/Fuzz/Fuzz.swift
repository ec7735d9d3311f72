import Foundations
import Glibc

/// The package manager gives an executable's `main` this name.
@_cdecl("fuzz_main")
public func fuzzMain(
    _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
    var (count, arguments): (Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) = (count, arguments)
    return runFuzzer(&count, &arguments, fuzzOne)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What libFuzzer calls with bytes of its own making. `FUZZ` in the environment says which part gets them.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    target(Bytes(start: start, count: count))
    return 0
}

private nonisolated(unsafe) let target: (Bytes) -> Void = {  // libFuzzer has one thread
    let name = getenv("FUZZ").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        fatalError("FUZZ is \"\(name)\"; it names one of \(targets.keys.sorted())")
    }
    return target
}()

private nonisolated(unsafe) let targets: [String: (Bytes) -> Void] = [  // never changed
    "http": fuzzHTTP, "json": fuzzJSON, "configuration": fuzzConfiguration, "spool": fuzzSpool,
    "expression": fuzzExpression, "journeys": fuzzJourneys,
]
