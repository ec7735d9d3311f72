import Foundations
import Glibc
import HTTP
import Identity
import Logging
import Payload
import Spool

@testable import Intake

/// A server with Intake in it: real sockets, a real spool, no database.
final class Running {
    let directory: String
    let spool: Spool
    let receipts = Receipts()
    let installation: Installation
    let intake: Intake
    private let http: HTTPServer
    let port: UInt16

    init(
        _ configuration: Configuration, lanes: Int = 2, capacity: Int = 64 << 20, isConfirmed: Bool = true
    ) throws {
        var name = Array("/tmp/waymark-intake-XXXXXX".utf8CString)
        directory = String(cString: mkdtemp(&name)!)
        let logger = Logger(label: "intake-tests", factory: { _ in SwiftLogNoOpLogHandler() })
        spool = try Spool(
            options: SpoolOptions(data: directory, capacity: capacity), clock: .system, logger: logger)
        installation = try Installation(data: directory)
        if isConfirmed { try installation.confirm(secret: [UInt8](repeating: 9, count: 32)) }
        let parts = Intake.Parts(
            spool: spool, installation: installation, sessions: SessionCache(),
            lookup: Lookup(logger: logger),
            receipts: receipts)
        func page(_ text: StaticString) -> Intake.Pages.Page {
            { out in
                out.append(text)
                return 200
            }
        }
        intake = Intake(
            configuration, parts: parts,
            pages: .init(health: page("alive"), readiness: page("ready"), metrics: page("metrics 1\n")))
        http = HTTPServer(
            options: HTTPOptions(
                listen: [.tcp(host: "127.0.0.1", port: 0)], lanes: lanes, limits: configuration.limits),
            logger: logger, makeHandler: intake.handler)
        let address = try http.start().first ?? ""
        port = address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
    }

    deinit {
        let http = http
        let spool = spool
        let directory = directory
        http.drain(within: 0) {
            spool.close { _ = system("rm -rf \(directory)") }
        }
    }

    /// All that is durable: the submissions' tasks and events' activities, and what the counters say.
    func kept() throws -> (tasks: [UUID], activities: [String], received: Int) {
        var (tasks, activities, received) = ([UUID](), [String](), 0)
        let reader = try spool.reader(from: nil)
        var buffer = ByteBuffer()
        while true {
            buffer.removeAll()
            guard try reader.next(into: &buffer) != nil else { break }
            var frame = FrameReader(buffer.bytes)
            while let entry = try frame.next() {
                switch entry {
                case .counter(_, let count): received += count
                case .submission(var view):
                    tasks.append(view.task)
                    while let event = try view.nextEvent() { activities.append(event.activity.text) }
                }
            }
        }
        return (tasks, activities, received)
    }

    func post(_ path: String, _ body: String, _ headers: String = "") throws -> Reply {
        let client = try Client(port)
        client.send(Running.post(path, body, headers))
        return try client.receive()
    }

    func exchange(_ text: String) throws -> Reply {
        let client = try Client(port)
        client.send(text)
        return try client.receive()
    }

    static func post(_ path: String, _ body: String, _ headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// What came back for one request.
struct Reply {
    var status: Int
    var head: String
    var body: String

    func has(_ line: String) -> Bool { head.contains("\r\n\(line)\r\n") }

    /// The text between two others.
    func text(after start: String, before end: String = "\"") -> String? {
        guard let from = body.range(of: start) else { return nil }
        let rest = body[from.upperBound...]
        return rest.range(of: end).map { String(rest[..<$0.lowerBound]) }
    }
}

extension StringProtocol {
    fileprivate func range(of text: String) -> Range<Index>? {
        var from = startIndex
        while from <= endIndex {
            if self[from...].hasPrefix(text) { return from..<index(from, offsetBy: text.count) }
            if from == endIndex { return nil }
            from = index(after: from)
        }
        return nil
    }
}

/// A socket that sends texts and takes answers apart by their Content-Length.
final class Client {
    struct Closed: Error {}
    private let socket: Int32
    private var received: [UInt8] = []

    init(_ port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw SystemError("connect") }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    func receive() throws -> Reply {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = received.indices.first(where: { received[$0...].starts(with: separator) }) {
                let head = String(decoding: received[..<(end + 2)], as: UTF8.self)
                let lines = head.split(separator: "\r\n")
                let length = lines.compactMap { line in
                    line.lowercased().hasPrefix("content-length: ") ? Int(line.dropFirst(16)) : nil
                }
                let whole = end + 4 + (length.first ?? 0)
                if received.count >= whole {
                    let status = Int(lines[0].split(separator: " ")[1]) ?? 0
                    let body = String(decoding: received[(end + 4)..<whole], as: UTF8.self)
                    received.removeFirst(whole)
                    return Reply(status: status, head: head, body: body)
                }
            }
            try more()
        }
    }

    private func more() throws {
        var room = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &room, room.count, 0)
        guard count > 0 else { throw Closed() }
        received += room[..<count]
    }
}
