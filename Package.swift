// swift-tools-version: 6.0
import PackageDescription

// Every arrow points down: a target may use only what stands below it.
// `WAYMARK_STRICT=1` turns warnings into errors; CI sets it.
let strict = Context.environment["WAYMARK_STRICT"] != nil
// Debug builds check at run time that nobody changes what another one reads; that is 10 % of a request's own time.
// `Scripts/test --fuzz` sets `WAYMARK_FUZZ`: all of our own is then instrumented, and there is one more product.
let isFuzzed = Context.environment["WAYMARK_FUZZ"] != nil
let settings: [SwiftSetting] =
    [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
    + (strict ? [.unsafeFlags(["-warnings-as-errors"])] : [])
    + (isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])] : [])

func room(_ name: String, _ below: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: below, swiftSettings: settings)
}

func tests(of name: String, _ more: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + more, path: "Tests/\(name)Tests",
        swiftSettings: settings)
}

/// Tests of the running server, which know nothing of its inside.
func black(_ name: String) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: ["TestSupport"], path: "Tests/\(name)Tests",
        swiftSettings: settings)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "waymark",
    products: [.executable(name: "waymark", targets: ["waymark"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .executableTarget(
            name: "waymark",
            dependencies: [
                "Admin", "Intake", "Loader", "Enrolments", "Alerts", "Webhooks", "Outbound", "Journeys",
                "Embedded",
                "ConfigurationFile",
                arguments, logging,
            ],
            swiftSettings: settings),
        room("Intake", ["HTTP", "Payload", "Spool", "Identity", "CZlib", logging]),
        room(
            "Admin",
            [
                "HTTP", "Loader", "Enrolments", "Journeys", "Webhooks", "Outbound", "Activities", "Identity",
                "ConfigurationFile", "Payload", "Postgres", crypto, logging,
            ]),
        room(
            "Loader",
            [
                "Spool", "Enrolments", "Identity", "Activities", "Payload", "Postgres", "CLinux", crypto,
                logging,
            ]),
        room(
            "Enrolments",
            [
                "Journeys", "Webhooks", "Activities", "Identity", "ConfigurationFile", "Payload", "Postgres",
                crypto, logging,
            ]),
        room("Journeys", ["ConfigurationFile", "Payload", "Postgres", crypto, yaml, logging]),
        room("Webhooks", ["ConfigurationFile", "Payload", "Postgres", "Outbound", crypto, logging]),
        room("Alerts", ["Postgres", "Outbound", logging]),
        room("Activities", ["Payload", "Postgres", crypto, logging]),
        room("Identity", ["Payload", "Postgres", "Outbound", crypto, logging]),
        room("Outbound", ["Foundations", "CCurl", "CLinux", logging]),
        room("Embedded", ["Postgres", "CLinux", logging]),
        room("Postgres", ["Foundations", "CLibpq", logging]),
        room("Spool", ["Foundations", "CLinux", logging]),
        room("HTTP", ["Foundations", "CLinux", logging]),
        room("Payload", ["Foundations"]),
        room("ConfigurationFile", ["Foundations", yaml]),
        room("Foundations", ["CLinux"]),

        .executableTarget(
            name: "torture", dependencies: ["TestSupport", arguments], swiftSettings: settings),
        .executableTarget(
            name: "loadgen", dependencies: ["Foundations", "CLinux", arguments], swiftSettings: settings),

        tests(of: "Foundations"),
        tests(of: "Payload", ["TestSupport"]),
        tests(of: "HTTP", ["Foundations", logging]),
        tests(of: "Spool", ["CFaults", logging]),
        tests(of: "Postgres", ["Embedded", logging]),
        tests(of: "Embedded", [logging]),
        tests(of: "ConfigurationFile"),
        tests(of: "Outbound", ["TestSupport", "CResolver", "Foundations", logging]),
        tests(of: "Activities", ["TestSupport", "Payload", logging]),
        tests(
            of: "Enrolments",
            [
                "TestSupport", "ConfigurationFile", "Identity", "Journeys", "Payload", "Postgres", "Webhooks",
                logging,
            ]),
        tests(of: "Journeys", ["TestSupport", "ConfigurationFile", "Payload", logging]),
        tests(
            of: "Webhooks", ["TestSupport", "ConfigurationFile", "Outbound", "Payload", "Postgres", logging]),
        tests(of: "Alerts", ["TestSupport", "Foundations", "Outbound", "Postgres", logging]),
        tests(of: "Admin", ["TestSupport", "HTTP", logging]),
        tests(of: "Identity", ["TestSupport", "Payload", logging]),
        tests(of: "Intake", [logging]),
        tests(
            of: "Loader",
            [
                "TestSupport", "Enrolments", "Journeys", "Webhooks", "Identity", "Activities", "Payload",
                "Spool", "Postgres", logging,
            ]),
        tests(of: "waymark", [arguments, logging]),
        black("Conformance"),
        black("Durability"),
        .target(
            name: "TestSupport", dependencies: ["CLibpq", "CZlib"], path: "Tests/Support",
            swiftSettings: settings),
        .target(name: "CFaults", path: "Tests/CFaults"),
        .target(name: "CResolver", path: "Tests/CResolver"),

        .target(name: "CLinux"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    ]
)

// The fuzzer brings its own `main`.
if isFuzzed {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["HTTP", "Payload", "Spool", "ConfigurationFile", "Journeys"],
            path: "Tests/Fuzz", exclude: ["Corpus"],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
