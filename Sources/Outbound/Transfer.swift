internal import CCurl
import Foundations
import Glibc

package typealias OutboundCompletion = @Sendable (Result<OutboundResponse, OutboundError>) -> Void

/// One request or mail on its way: what libcurl calls back, and what came so far.
final class Transfer: @unchecked Sendable {  // owner of all `var`s: whoever adds it, then the loop's thread
    enum Job {
        case request(OutboundRequest)
        case mail(OutboundMail)
    }

    let job: Job
    let completion: OutboundCompletion
    private let addressGuard: AddressGuard
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var isTruncated = false
    private var refusal: String?
    /// How much of a mail was sent.
    private var sent = 0
    /// What the mail server said: of each reply the last line.
    private var replies: [String] = []

    /// An answer's head larger than this is no answer.
    private static let largestHead = 64 << 10

    init(_ job: Job, completion: @escaping OutboundCompletion) {
        self.job = job
        self.completion = completion
        if case .request(let request) = job {
            addressGuard = AddressGuard(allowing: request.allowNetworks)
        } else {
            addressGuard = AddressGuard()
        }
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        for list in lists { curl_slist_free_all(list) }
        words.deallocate()
    }

    static func of(_ me: UnsafeMutableRawPointer?) -> Transfer? {
        me.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: Before

    /// Tells libcurl what to do. The handle does not keep us alive: the loop does.
    func prepare(_ handle: inout EasyHandle, _ options: OutboundOptions) throws(OutboundError) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        handle.prepare(for: me)
        handle.set(CURLOPT_ERRORBUFFER, pointer: UnsafeMutableRawPointer(words))
        handle.set(CURLOPT_DNS_CACHE_TIMEOUT, options.lookupSeconds)
        switch job {
        case .request(let request):
            handle.putUnderGuard(me)
            try prepare(request, &handle, options)
        case .mail(let mail): try prepare(mail, &handle, me)
        }
        if handle.failure != 0 {
            throw OutboundError(
                kind: .invalid, code: handle.failure,
                message: "the request cannot be prepared: \(Self.explanation(of: handle.failure))")
        }
    }

    private func prepare(
        _ request: OutboundRequest, _ handle: inout EasyHandle, _ options: OutboundOptions
    ) throws(OutboundError) {
        if let problem = OutboundURL.problem(of: request.url) { throw invalid("the URL \(problem)") }
        var lines = request.headers
        if !lines.contains(where: { $0.name.lowercased() == "user-agent" }) {
            lines.append(("User-Agent", options.agent))
        }
        switch request.authorization {
        case .basic(let user, let password):
            lines.append(("Authorization", "Basic \(base64(Array("\(user):\(password)".utf8)))"))
        case .bearer(let token): lines.append(("Authorization", "Bearer \(token)"))
        case nil: break
        }
        for line in lines where !HeaderCheck.isName(line.name) || !HeaderCheck.isValue(line.value) {
            throw invalid("the header \(HeaderCheck.isName(line.name) ? line.name : "name") cannot be sent")
        }
        handle.set(CURLOPT_URL, request.url)
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, max(request.connectTimeout, 1))
        handle.set(CURLOPT_TIMEOUT_MS, max(request.timeout, 1))
        if let ca = request.ca { handle.set(CURLOPT_CAINFO, ca) }
        if request.method == "GET" || request.method == "HEAD", request.body.isEmpty {
            handle.set(request.method == "GET" ? CURLOPT_HTTPGET : CURLOPT_NOBODY, 1)
        } else {
            handle.set(CURLOPT_POST, 1)
            handle.setBody(request.body)
            if request.method != "POST" { handle.set(CURLOPT_CUSTOMREQUEST, request.method) }
        }
        // An empty value takes a header away that libcurl would add: large bodies do not wait for a 100.
        let texts = lines.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" } + ["Expect:"]
        handle.set(CURLOPT_HTTPHEADER, list: list(of: texts))
    }

    private func prepare(
        _ mail: OutboundMail, _ handle: inout EasyHandle, _ me: UnsafeMutableRawPointer
    ) throws(OutboundError) {
        let server = mail.server
        for text in mail.to + [server.from] where !HeaderCheck.isMailAddress(text) {
            throw invalid("\(text) is no mail address")
        }
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        handle.set(CURLOPT_URL, "\(server.security == .tls ? "smtps" : "smtp")://\(host):\(server.port)")
        handle.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        handle.set(
            CURLOPT_USE_SSL, Int((server.security == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL).rawValue))
        if let ca = server.ca { handle.set(CURLOPT_CAINFO, ca) }
        if let user = server.user { handle.set(CURLOPT_USERNAME, user) }
        if let password = server.password { handle.set(CURLOPT_PASSWORD, password) }
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, 10_000)
        handle.set(CURLOPT_TIMEOUT_MS, mail.timeout)
        handle.set(CURLOPT_MAIL_FROM, "<\(server.from)>")
        handle.set(CURLOPT_MAIL_RCPT, list: list(of: mail.to.map { "<\($0)>" }))
        // One address that is refused keeps the mail from nobody else; `refusals` says which.
        handle.set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1)
        handle.setUpload(size: mail.message.count)
        handle.setReader(me)
    }

    private func list(of texts: [String]) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts {
            guard let longer = curl_slist_append(list, text) else { break }
            list = longer
        }
        if let list { lists.append(list) }
        return list
    }

    private func invalid(_ message: String) -> OutboundError {
        OutboundError(kind: .invalid, message: message)
    }

    // MARK: On the way

    /// May a socket be made for, or the request go out to, this address? The first refusal is kept as the reason.
    func allows(_ name: SocketName) -> Bool {
        guard let reason = addressGuard.refusal(of: name.address, asV6: name.isV6) else { return true }
        if refusal == nil { refusal = "\(name.address) is \(reason)" }
        return false
    }

    /// A line of the head; how many bytes were taken (another number ends the transfer).
    func receive(header line: Bytes) -> Int {
        headerBytes += line.count
        if headerBytes > Self.largestHead { return 0 }
        let text = line.trimmed.text
        guard case .request = job else {
            // Lines before the last one of a reply have a hyphen there (RFC 5321, 4.2).
            if text.dropFirst(3).first != "-" { replies.append(text) }
            return line.count
        }
        if text.hasPrefix("HTTP/") {
            headers.removeAll()  // an interim answer (1xx) came before
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append((String(text[..<colon]), String(value)))
        }
        return line.count
    }

    func receive(_ bytes: Bytes) -> Int {
        guard case .request(let request) = job else { return bytes.count }
        let room = request.maxResponse - body.count
        body.append(contentsOf: bytes.prefix(room))
        if bytes.count <= room { return bytes.count }
        isTruncated = true
        return 0
    }

    /// The next bytes of a mail.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard case .mail(let mail) = job else { return 0 }
        let count = min(room.count, mail.message.count - sent)
        mail.message[sent..<sent + count].withUnsafeBytes { room.copyMemory(from: $0) }
        sent += count
        return count
    }

    // MARK: After

    func finish(code: Int32, _ handle: EasyHandle) {
        let (status, time) = (handle.status, handle.milliseconds)
        if code == 0 || isTruncated && status > 0 {
            var response = OutboundResponse(
                status: status, headers: headers, body: body, isTruncated: isTruncated, milliseconds: time)
            response.refusals = refusals
            return completion(.success(response))
        }
        fail(error(code: code, isConnected: handle.isConnected, milliseconds: time, status: status))
    }

    /// Recipients are answered one by one, in their order, before the 354 to `DATA` (RFC 5321, 3.3).
    private var refusals: [MailRefusal] {
        guard case .mail(let mail) = job, let data = replies.lastIndex(where: { $0.hasPrefix("354") }),
            data >= mail.to.count
        else { return [] }
        return zip(mail.to, replies[data - mail.to.count..<data]).compactMap { address, reply in
            reply.hasPrefix("2") ? nil : MailRefusal(address: address, reply: reply)
        }
    }

    func fail(_ error: OutboundError) { completion(.failure(error)) }

    private func error(code: Int32, isConnected: Bool, milliseconds: Int, status: Int) -> OutboundError {
        if let refusal {
            return OutboundError(
                kind: .refused, code: code, message: "the address is not allowed: \(refusal)",
                milliseconds: milliseconds)
        }
        var message = String(cString: words)
        if message.isEmpty { message = Self.explanation(of: code) }
        let kind: OutboundError.Kind =
            switch CURLcode(rawValue: UInt32(bitPattern: code)) {
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_COULDNT_RESOLVE_HOST: .unresolved
            case CURLE_COULDNT_CONNECT: .unconnected
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CACERT_BADFILE: .invalid
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
                CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
                .tls
            default: isConnected ? .broken : .unconnected
            }
        return OutboundError(kind: kind, code: code, message: message, milliseconds: milliseconds)
    }

    static func explanation(of code: Int32) -> String {
        curl_easy_strerror(CURLcode(rawValue: UInt32(bitPattern: code))).map { String(cString: $0) }
            ?? "code \(code)"
    }
}
