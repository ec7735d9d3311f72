internal import CCurl
import Foundations
import Glibc

/// libcurl's handle for one transfer, with setters that Swift can call.
///
/// A setter that fails (an option that this libcurl does not have, no memory) is remembered: a request of which a
/// part could not be said, such as its guard, must not be sent.
struct EasyHandle {
    let raw: UnsafeMutableRawPointer
    private(set) var failure: Int32 = 0

    init?() {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
    }

    private mutating func note(_ code: CURLcode) {
        if code != CURLE_OK, failure == 0 { failure = Int32(bitPattern: code.rawValue) }
    }

    mutating func reset() {
        curl_easy_reset(raw)
        failure = 0
    }

    func close() { curl_easy_cleanup(raw) }

    /// What every transfer has in common.
    mutating func prepare(for transfer: UnsafeMutableRawPointer) {
        // A look-up that hangs in the system's resolver must not hold up all others when it is given up.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        // An empty proxy is none, whatever the environment says.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOPROXY, "*")
        set(CURLOPT_FOLLOWLOCATION, 0)
        note(waymark_curl_pointer(raw, CURLOPT_PRIVATE, transfer))
        note(waymark_curl_pointer(raw, CURLOPT_WRITEDATA, transfer))
        note(
            waymark_curl_on_bytes(raw, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
                Transfer.of(me)?.receive(Bytes(start: bytes, count: size * count)) ?? 0
            })
        note(waymark_curl_pointer(raw, CURLOPT_HEADERDATA, transfer))
        note(
            waymark_curl_on_bytes(raw, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
                Transfer.of(me)?.receive(header: Bytes(start: bytes, count: size * count)) ?? 0
            })
    }

    /// Both ends of the guard: before a socket is made for an address, and before a request goes out on a connection,
    /// which may have been made for another request, with other networks allowed.
    mutating func putUnderGuard(_ transfer: UnsafeMutableRawPointer) {
        note(waymark_curl_pointer(raw, CURLOPT_OPENSOCKETDATA, transfer))
        note(
            waymark_curl_on_open_socket(raw) { me, _, address in
                guard let transfer = Transfer.of(me), let address else { return CURL_SOCKET_BAD }
                let size = Int(address.pointee.addrlen)
                let name = withUnsafeBytes(of: &address.pointee.addr) { SocketName($0.prefix(size)) }
                guard let name, transfer.allows(name) else { return CURL_SOCKET_BAD }
                let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
                return socket(address.pointee.family, kind, address.pointee.protocol)
            })
        note(waymark_curl_pointer(raw, CURLOPT_PREREQDATA, transfer))
        note(
            waymark_curl_on_before_request(raw) { me, address, _, _, _ in
                guard let transfer = Transfer.of(me), let address,
                    let name = SocketName(String(cString: address)), transfer.allows(name)
                else { return CURL_PREREQFUNC_ABORT }
                return CURL_PREREQFUNC_OK
            })
    }

    mutating func set(_ option: CURLoption, _ value: Int) {
        note(waymark_curl_number(raw, option, value))
    }
    mutating func set(_ option: CURLoption, _ text: String) { note(waymark_curl_text(raw, option, text)) }
    /// libcurl does not copy lists and buffers: they must live as long as the transfer.
    mutating func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) {
        note(waymark_curl_list(raw, option, list))
    }
    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) {
        note(waymark_curl_pointer(raw, option, pointer))
    }
    mutating func setBody(_ bytes: [UInt8]) {
        note(waymark_curl_size(raw, CURLOPT_POSTFIELDSIZE_LARGE, bytes.count))
        bytes.withUnsafeBytes { note(waymark_curl_body(raw, $0.baseAddress)) }
    }
    /// Bytes that go out are asked for.
    mutating func setReader(_ transfer: UnsafeMutableRawPointer) {
        note(waymark_curl_pointer(raw, CURLOPT_READDATA, transfer))
        note(
            waymark_curl_on_bytes(raw, CURLOPT_READFUNCTION) { room, size, count, me in
                Transfer.of(me)?.read(into: UnsafeMutableRawBufferPointer(start: room, count: size * count))
                    ?? 0
            })
    }
    mutating func setUpload(size: Int) {
        set(CURLOPT_UPLOAD, 1)
        note(waymark_curl_size(raw, CURLOPT_INFILESIZE_LARGE, size))
    }

    var status: Int { waymark_curl_get_number(raw, CURLINFO_RESPONSE_CODE) }
    var milliseconds: Int { Int(waymark_curl_get_size(raw, CURLINFO_TOTAL_TIME_T)) / 1000 }
    /// The connection (of TCP) was made, now or for another request.
    var isConnected: Bool {
        waymark_curl_get_size(raw, CURLINFO_CONNECT_TIME_T) > 0
            || waymark_curl_get_number(raw, CURLINFO_NUM_CONNECTS) == 0
    }
}
