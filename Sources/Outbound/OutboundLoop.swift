internal import CCurl
private import CLinux
import Dispatch
import Foundations
import Glibc
import Logging

/// The thread on which libcurl's multi interface runs: it waits for sockets with epoll, and tells libcurl which one
/// is ready, so that the cost of a transfer does not depend on how many others wait.
final class OutboundLoop: @unchecked Sendable {  // owner of all `var`s: the thread
    private struct Inbox {
        var transfers: [Transfer] = []
        var isWoken = false
        var isStopping = false
    }

    private let inbox = Locked(Inbox())
    private let options: OutboundOptions
    private let logger: Logger
    private let epoll: FileDescriptor
    private let wakeRead: FileDescriptor
    private let wakeWrite: FileDescriptor
    private let ended = DispatchSemaphore(value: 0)
    private let multi: UnsafeMutableRawPointer
    /// What is on its way, by libcurl's handle.
    private var active: [UnsafeMutableRawPointer: (transfer: Transfer, handle: EasyHandle)] = [:]
    private var spare: [EasyHandle] = []
    private var watched: Set<Int32> = []
    /// When libcurl wants to be called for its timers.
    private var alarm: UInt64?

    private static let wakeToken = UInt64.max
    private static let spareHandles = 256
    private static let initialized: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    init(_ options: OutboundOptions, _ logger: Logger) throws(SystemError) {
        self.options = options
        self.logger = logger
        epoll = FileDescriptor(try retrying("epoll_create1") { clinux_epoll_create() })
        var ends: [Int32] = [-1, -1]
        try retrying("pipe") { pipe(&ends) }
        wakeRead = FileDescriptor(ends[0])
        wakeWrite = FileDescriptor(ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        guard Self.initialized, let multi = curl_multi_init() else {
            throw SystemError(code: ENOMEM, "curl_multi_init")
        }
        self.multi = multi
    }

    /// Starts the thread, which keeps this object alive until it ends.
    func start() throws(SystemError) {
        try retrying("epoll_ctl") {
            clinux_epoll_add(epoll.raw, wakeRead.raw, UInt32(CLINUX_IN), Self.wakeToken)
        }
        _ = waymark_curl_multi_number(multi, CURLMOPT_MAXCONNECTS, options.kept)
        _ = waymark_curl_multi_number(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        let me = Unmanaged.passUnretained(self).toOpaque()
        _ = waymark_curl_multi_on_socket(
            multi,
            { _, socket, what, me, _ in
                me.map { Unmanaged<OutboundLoop>.fromOpaque($0).takeUnretainedValue() }?.watch(socket, what)
                return 0
            }, me)
        _ = waymark_curl_multi_on_timer(
            multi,
            { _, milliseconds, me in
                me.map { Unmanaged<OutboundLoop>.fromOpaque($0).takeUnretainedValue() }?.wake(
                    in: milliseconds)
                return 0
            }, me)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { me in
                if let me { Unmanaged<OutboundLoop>.fromOpaque(me).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        if code != 0 {
            Unmanaged.passUnretained(self).release()
            curl_multi_cleanup(multi)
            throw SystemError(code: code, "pthread_create")
        }
        pthread_detach(thread)
    }

    // MARK: From any thread

    func add(_ transfer: Transfer) { add([transfer]) }

    func add(_ transfers: [Transfer]) {
        let (isStopping, wakes) = inbox.withLock { inbox in
            if inbox.isStopping { return (true, false) }
            inbox.transfers += transfers
            defer { inbox.isWoken = true }
            return (false, !inbox.isWoken)
        }
        if isStopping {
            for transfer in transfers { transfer.fail(Self.stopped) }
        } else if wakes {
            _ = write(wakeWrite.raw, [1], 1)
        }
    }

    /// Asks the thread to end, and waits for it, but not on the thread itself and not for ever.
    func stop() {
        let isFirst = inbox.withLock { inbox in
            defer {
                inbox.isStopping = true; inbox.isWoken = true
            }
            return !inbox.isStopping
        }
        guard isFirst else { return }
        _ = write(wakeWrite.raw, [1], 1)
        _ = ended.wait(timeout: .now() + 2)
    }

    private static let stopped = OutboundError(kind: .stopped, message: "the server is shutting down")

    // MARK: The thread

    private func run() {
        let room = UnsafeMutablePointer<clinux_event>.allocate(capacity: 256)
        room.initialize(repeating: clinux_event(), count: 256)
        defer { room.deallocate() }
        while takeInbox() {
            var polled = pollfd(fd: epoll.raw, events: Int16(POLLIN), revents: 0)
            _ = poll(&polled, 1, patience())
            for i in 0..<max(0, Int(clinux_epoll_poll(epoll.raw, room, 256))) { tell(of: room[i]) }
            if let alarm, Clock.system.monotonic() >= alarm {
                self.alarm = nil
                act(CURL_SOCKET_TIMEOUT, 0)
            }
            collect()
        }
        finish()
    }

    /// Milliseconds until the next alarm, rounded up; −1: none.
    private func patience() -> Int32 {
        guard let alarm else { return -1 }
        let now = Clock.system.monotonic()
        return alarm <= now ? 0 : Int32(min((alarm - now + 999_999) / 1_000_000, 60_000))
    }

    /// Begins what was asked for; false: it is time to end.
    private func takeInbox() -> Bool {
        let (transfers, isStopping) = inbox.withLock { inbox in
            inbox.isWoken = false
            defer { inbox.transfers = [] }
            return (inbox.transfers, inbox.isStopping)
        }
        for transfer in transfers { isStopping ? transfer.fail(Self.stopped) : begin(transfer) }
        if !transfers.isEmpty { collect() }
        return !isStopping
    }

    private func begin(_ transfer: Transfer) {
        guard var handle = spare.popLast() ?? EasyHandle() else {
            return transfer.fail(OutboundError(kind: .invalid, message: "no memory for a request"))
        }
        do throws(OutboundError) {
            try transfer.prepare(&handle, options)
        } catch {
            release(handle)
            return transfer.fail(error)
        }
        active[handle.raw] = (transfer, handle)
        let code = curl_multi_add_handle(multi, handle.raw)
        if code != CURLM_OK {
            active[handle.raw] = nil
            handle.close()
            transfer.fail(
                OutboundError(kind: .invalid, code: code.rawValue, message: "curl_multi_add_handle"))
        }
    }

    private func tell(of event: clinux_event) {
        if event.data == Self.wakeToken {
            var sink: (UInt64, UInt64) = (0, 0)
            _ = read(wakeRead.raw, &sink, 16)
            return
        }
        var what: Int32 = 0
        if event.events & UInt32(CLINUX_IN) != 0 { what |= CURL_CSELECT_IN }
        if event.events & UInt32(CLINUX_OUT) != 0 { what |= CURL_CSELECT_OUT }
        if event.events & UInt32(CLINUX_ERROR | CLINUX_HANG_UP) != 0 { what |= CURL_CSELECT_ERR }
        act(Int32(truncatingIfNeeded: event.data), what)
    }

    private func act(_ socket: Int32, _ what: Int32) {
        var running: Int32 = 0
        let code = curl_multi_socket_action(multi, socket, what, &running)
        if code != CURLM_OK {
            logger.error("libcurl", metadata: ["error": "\(String(cString: curl_multi_strerror(code)))"])
        }
    }

    /// libcurl says what it waits for on a socket.
    private func watch(_ socket: Int32, _ what: Int32) {
        if what == CURL_POLL_REMOVE {
            watched.remove(socket)
            _ = clinux_epoll_remove(epoll.raw, socket)
            return
        }
        var events: UInt32 = 0
        if what & CURL_POLL_IN != 0 { events |= UInt32(CLINUX_IN) }
        if what & CURL_POLL_OUT != 0 { events |= UInt32(CLINUX_OUT) }
        let token = UInt64(UInt32(bitPattern: socket))
        // A socket that was closed and whose number was given out anew is not watched any more, whatever we remember.
        if watched.insert(socket).inserted || clinux_epoll_modify(epoll.raw, socket, events, token) != 0 {
            if clinux_epoll_add(epoll.raw, socket, events, token) != 0 {
                _ = clinux_epoll_modify(epoll.raw, socket, events, token)
            }
        }
    }

    private func wake(in milliseconds: Int) {
        alarm = milliseconds < 0 ? nil : Clock.system.monotonic() + UInt64(milliseconds) * 1_000_000
    }

    /// Hands over what has ended.
    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let raw = message.pointee.easy_handle else { continue }
            let code = Int32(bitPattern: message.pointee.data.result.rawValue)
            curl_multi_remove_handle(multi, raw)
            guard let (transfer, handle) = active.removeValue(forKey: raw) else { continue }
            transfer.finish(code: code, handle)
            release(handle)
        }
    }

    private func release(_ handle: EasyHandle) {
        guard spare.count < Self.spareHandles else { return handle.close() }
        var handle = handle
        handle.reset()
        spare.append(handle)
    }

    private func finish() {
        for (raw, value) in active {
            curl_multi_remove_handle(multi, raw)
            value.handle.close()
            value.transfer.fail(Self.stopped)
        }
        active = [:]
        for handle in spare { handle.close() }
        spare = []
        curl_multi_cleanup(multi)
        // What was added between the last look and the end.
        for transfer in inbox.withLock({ inbox in
            defer { inbox.transfers = [] }
            return inbox.transfers
        }) { transfer.fail(Self.stopped) }
        ended.signal()
    }
}
