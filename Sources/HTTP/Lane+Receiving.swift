internal import Foundations
import Glibc

/// From bytes to requests.
extension Lane {
    /// How many requests of one connection may wait now.
    var depth: Int { pendings.count < Self.manyPending ? Connection.depth : 1 }

    /// Something happened to a socket. A token of a connection that is gone means nothing.
    func notice(_ token: UInt64, _ interest: Poller.Interest) {
        let slot = Int(token & 0xffff_ffff)
        guard slot < connections.count else { return }
        let connection = connections[slot]
        guard connection.token == token, connection.phase != .closed else { return }
        if interest.contains(.write) { sendRest(connection) }
        if interest.contains(.read), connection.interest.contains(.read) { receive(connection) }
        // Reset, or closed in both directions: nobody is left to be answered.
        if !interest.isDisjoint(with: .broken), !interest.contains(.read), connection.phase != .closed {
            return close(connection)
        }
        update(connection)
    }

    func receive(_ connection: Connection) {
        if connection.phase == .lingering { return discard(connection) }
        guard connection.phase == .open else { return }
        if connection.input.count == 0 {
            let count = recv(connection.socket, room.baseAddress, room.count, 0)
            guard count > 0 else { return receivedNothing(connection, count) }
            tally.received += count
            consume(connection, UnsafeMutableRawBufferPointer(rebasing: room[0..<count]), isOwn: false)
        } else {
            let more = connection.room
            guard makeRoom(connection, more, connection.input.bytes) else { return }
            let space = connection.input.space(more)
            let count = recv(connection.socket, space.baseAddress, space.count, 0)
            guard count > 0 else { return receivedNothing(connection, count) }
            tally.received += count
            connection.input.filled(count)
            consume(connection, connection.input.mutableBytes, isOwn: true)
        }
    }

    /// The peer has closed its side (0), or the socket failed or has nothing to say (-1).
    private func receivedNothing(_ connection: Connection, _ count: Int) {
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        // A request that was cut off will never be whole; answers that are owed are still sent.
        connection.peerIsDone = true
        if count < 0 { close(connection) }
    }

    /// After the last answer: what still comes is thrown away, until the peer closes.
    private func discard(_ connection: Connection) {
        let count = recv(connection.socket, room.baseAddress, room.count, 0)
        if count > 0 {
            tally.received += count
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            close(connection)
        }
    }

    /// Makes room in the connection's own buffer, if the memory budget has it; else refuses the request.
    private func makeRoom(_ connection: Connection, _ more: Int, _ received: Bytes) -> Bool {
        let missing = connection.input.count + more - connection.input.capacity
        guard missing > 0 else { return true }
        let growth = max(missing, connection.input.capacity)
        guard shared.metrics.bufferedBytes.current + growth <= limits.memory else {
            refuse(connection, .outOfMemory, received, connection.parser)
            return false
        }
        connection.input.reserve(more)
        charge(connection)
        return true
    }

    /// Handles the whole requests in `bytes` and keeps what is left over in the connection's own buffer.
    func consume(_ connection: Connection, _ bytes: UnsafeMutableRawBufferPointer, isOwn: Bool) {
        var offset = 0
        var keep = 0
        connection.hasUnparsed = false
        connection.isConsuming = true
        defer { connection.isConsuming = false }
        while offset < bytes.count, connection.phase == .open {
            if connection.takesNoMore {
                connection.lingers = true
                offset = bytes.count
                break
            }
            guard connection.mayTake(depth) else {
                connection.hasUnparsed = true
                keep = bytes.count - offset
                break
            }
            let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            let parser = parser(for: connection)
            switch parser.pointee.parse(rest) {
            case .request(let length):
                deliver(connection, Bytes(rest), parser, isAll: length == rest.count)
                connection.dropParser()
                offset += length
                continue
            case .needMore(let kept):
                if parser.pointee.hasBegun {
                    keep = kept
                    save(parser, connection)
                } else {
                    // Nothing but empty lines: they are gone, and so is the place up to which they were looked at.
                    offset = bytes.count
                    connection.dropParser()
                }
            case .refused(let refusal):
                return refuse(connection, refusal, Bytes(rest), parser)
            }
            break
        }
        guard connection.phase == .open else { return }
        store(connection, bytes, offset, keep, isOwn: isOwn)
        if let parser = connection.parser, parser.pointee.expectsContinue, parser.pointee.isHeadWhole {
            parser.pointee.expectsContinue = false
            connection.owesContinue = true
            if connection.pendingCount == 0 { sendContinue(connection) }
        }
    }

    private func parser(for connection: Connection) -> UnsafeMutablePointer<RequestParser> {
        if let parser = connection.parser { return parser }
        freshParser.initialize(to: RequestParser(headLimit: limits.head, bodyLimit: limits.body))
        return freshParser
    }

    private func save(_ parser: UnsafeMutablePointer<RequestParser>, _ connection: Connection) {
        guard connection.parser == nil else { return }
        let own = UnsafeMutablePointer<RequestParser>.allocate(capacity: 1)
        own.initialize(to: parser.pointee)
        connection.parser = own
    }

    private func store(
        _ connection: Connection, _ bytes: UnsafeMutableRawBufferPointer, _ offset: Int, _ keep: Int,
        isOwn: Bool
    ) {
        if isOwn {
            connection.input.truncate(to: offset + keep)
            connection.input.removeFirst(offset)
            if keep == 0 { connection.input.shrink(to: 0) }
        } else if keep > 0 {
            let kept = Bytes(rebasing: bytes[offset..<offset + keep])
            guard makeRoom(connection, keep, kept) else { return }
            connection.input.append(kept)
        }
        charge(connection)
    }

    /// Hands a whole request to the handler; `isAll`: nothing was received after it.
    private func deliver(
        _ connection: Connection, _ bytes: Bytes, _ parser: UnsafeMutablePointer<RequestParser>, isAll: Bool
    ) {
        let closes = !parser.pointee.keepsAlive || isDraining && isAll
        let exchange = expectAnswer(connection, bytes, parser, closes: closes)
        hasHandled = true
        handler?.handle(request(connection, bytes, parser), exchange)
    }

    /// What is known of a request: all of it, or, when it is refused before its head was whole, the fields that came.
    func request(
        _ connection: Connection, _ bytes: Bytes, _ parser: UnsafeMutablePointer<RequestParser>
    ) -> Request {
        let headEnd = parser.pointee.headEnd
        let head = headEnd > 0 ? bytes.slice(0..<headEnd) : bytes
        let path = head.slice(parser.pointee.path.range)
        let slash: StaticString = "/"
        var peer = connection.peer
        let forwarded = parser.pointee.fields[Int(Header.xForwardedFor.rawValue)]
        if !forwarded.isAbsent, !shared.trustedProxies.isEmpty {
            let lines = head.slice(parser.pointee.begin..<head.count)
            peer = ForwardedFor.client(peer: peer, head: lines, trusted: shared.trustedProxies)
        }
        return Request(
            method: parser.pointee.method, methodText: head.slice(parser.pointee.methodText.range),
            target: head.slice(parser.pointee.target.range),
            path: path.count > 0 ? path : Bytes(start: slash.utf8Start, count: 1),
            query: head.slice(parser.pointee.query.range),
            body: bytes.slice(headEnd..<parser.pointee.bodyEnd), peer: peer, receivedAt: now,
            head: head, begin: parser.pointee.begin, fields: parser.pointee.fields)
    }

    /// Goes on with requests that had to wait for answers before them.
    func resume(_ connection: Connection) {
        connection.isQueuedToResume = false
        guard connection.phase == .open, connection.hasUnparsed else { return }
        consume(connection, connection.input.mutableBytes, isOwn: true)
        update(connection)
    }
}
