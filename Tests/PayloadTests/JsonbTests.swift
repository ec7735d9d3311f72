import Foundation
import Foundations
import Testing

@testable import Payload

/// PostgreSQL's own jsonb is the judge of what is repaired and of what is equal.
@Suite struct JsonbTests {
    typealias Pair = (a: String, b: String, isSame: Bool)

    @Test func jsonbTakesWhatIsAppendedAndAgreesOnWhatIsEqual() throws {
        let pairs = try randomPairs() + nastyPairs()
        #expect(pairs.count > 4_000)
        #expect(pairs.count { $0.isSame } > 1_000 && pairs.count { !$0.isSame } > 1_000)
        let rows = pairs.enumerated().map { i, pair in
            "\(i)\t\(copied(pair.a))\t\(copied(pair.b))\t\(pair.isSame)"
        }
        let answer = try postgres(
            """
            create table pair (number int, a text, b text, same boolean);
            copy pair from stdin;
            \(rows.joined(separator: "\n"))
            \\.
            select 'wrong ' || number from pair where (a::jsonb = b::jsonb) <> same order by number;
            select 'looked at ' || count(*) from pair where a::jsonb is not null and b::jsonb is not null;
            """)
        #expect(answer.contains("looked at \(pairs.count)"), "\(answer.suffix(2_000))")
        for line in answer.split(separator: "\n") where line.hasPrefix("wrong") {
            let pair = pairs[Int(line.dropFirst(6)) ?? 0]
            Issue.record("jsonb disagrees: \(pair.a.prefix(500)) and \(pair.b.prefix(500)): \(pair.isSame)")
        }
    }

    /// A text as it would be stored, and its hash.
    private func stored(_ text: String, _ hasher: inout ContentHasher) throws -> (text: String, hash: UInt64)
    {
        try scan(text) { ($0.json, hasher.hash($0)) }
    }

    private func randomPairs() throws -> [Pair] {
        var dice = Dice(state: 2026)
        var hasher = ContentHasher()
        let random = RandomJSON()
        return try (0..<3_000).map { i in
            let tree = random.tree(&dice)
            let other = i % 2 == 0 ? tree : random.changed(tree, &dice)
            let a = try stored(random.text(of: tree, &dice), &hasher)
            let b = try stored(random.text(of: other, &dice), &hasher)
            let pair = (a: a.text, b: b.text, isSame: a.hash == b.hash)
            if i % 2 == 0 { #expect(pair.isSame, "\(pair.a) \(pair.b)") }
            return pair
        }
    }

    /// Every pair of a list of documents that have broken something somewhere.
    private func nastyPairs() throws -> [Pair] {
        let nines = { String(repeating: "9", count: $0) }
        let nasty = [
            #""\u0000""#, #""\ud800""#, #""\udc00""#, #""\ud800\ud800\udc00""#, "\"\u{fffd}\"",
            #""\ufffe\uffff""#, #"{"\u0000":1}"#,
            #"{"\u0000":1,"\ud800":2}"#, "{\"\u{fffd}\":2}", "\"\u{7f}\u{80}\"", #""\u007f\u0080""#, "1e400",
            "-1e400", "1e-400",
            "1e4095", "1e4096", "1e100000", "1e-16383", "1e-16384", "1e99999999999999999999",
            "0e99999999999999999999", "0e5000",
            "0e100000", "0e131072", "0e131073", "0e-4095", "0e-16383", "0e-16384", "-0", "0", "0.0", "-0.0e3",
            "\"1e100000\"", nines(131_072),
            nines(131_073), nines(5_000) + "e0", "0." + nines(16_383), "0." + nines(16_384),
            nines(4_000) + "e97", nines(4_000) + "e96",
            "1." + nines(4_000) + "e2000", "1e+0005", "100000", "1E5", "1e00000000000000000000000005", "[]",
            "{}", "[[]]", "null",
            "\"\"", "[null]", "[\"\"]", #"{"":{"":{}}}"#, #"{"a":1,"a":2}"#, #"{"a":2}"#,
            "1.0000000000000000000000000001", "1",
            String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000), "\"\u{feff}\"",
            "\u{feff}1",
        ]
        var hasher = ContentHasher()
        let all = try nasty.map { try stored($0, &hasher) }
        // The long ones only with themselves: a few megabytes are enough.
        return all.flatMap { a in
            all.filter { $0 == a || max($0.text.utf8.count, a.text.utf8.count) < 10_000 }
                .map { (a: a.text, b: $0.text, isSame: a.hash == $0.hash) }
        }
    }

    /// A text as a field of `COPY`.
    private func copied(_ text: String) -> String {
        // By scalars: `\r\n` is one character.
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\t": "\\t"
            case "\r": "\\r"
            case "\n": "\\n"
            default: String(scalar)
            }
        }.joined()
    }

    /// What psql prints when it is fed a script, on a fresh server that is gone afterwards.
    private func postgres(_ script: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "payload-\(Foundation.UUID())")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try script.write(toFile: folder + "/script.sql", atomically: false, encoding: .utf8)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", Self.session, "session", folder]
        let pipe = Pipe()
        shell.standardOutput = pipe
        shell.standardError = pipe
        try shell.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        shell.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }

    /// PostgreSQL refuses to run as root: then it runs as its own user.
    private static let session = """
        folder=$1
        programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
        PATH=$programs:$PATH
        as=
        if [ "$(id -u)" = 0 ]; then
            chown postgres "$folder"
            as="setpriv --reuid=postgres --regid=postgres --clear-groups"
        fi
        cd "$folder"
        $as initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >log 2>&1 || { cat log; exit 1; }
        trap '$as pg_ctl -D data -m immediate stop >log 2>&1' EXIT
        options="-k $folder -c listen_addresses= -c fsync=off"
        $as pg_ctl -D data -w -l server.log -o "$options" start >log 2>&1 || { cat log server.log; exit 1; }
        psql -X -h "$folder" -U postgres -d postgres -At -v ON_ERROR_STOP=1 -f script.sql 2>&1
        """
}
