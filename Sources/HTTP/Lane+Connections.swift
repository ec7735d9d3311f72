internal import Foundations
import Glibc

/// The life of connections: from the acceptor to the grave.
extension Lane {
    /// A socket that was accepted for this lane.
    struct Accepted: Sendable {
        let socket: Int32
        let peer: IPAddress
        /// There are too many connections: another one has to go, or this one.
        let isTooMany: Bool
    }

    func adopt(_ sockets: [Accepted]) {
        answering {
            for accepted in sockets { adopt(accepted) }
        }
    }

    private func adopt(_ accepted: Accepted) {
        let connection = vacantConnection()
        connection.open(socket: accepted.socket, peer: accepted.peer, at: milliseconds)
        openCount += 1
        shared.metrics.connections.add(1)
        guard poller.add(accepted.socket, .read, token: connection.token) else { return close(connection) }
        if accepted.isTooMany, !makeWay() {
            shared.metrics.connectionsRefused.add()
            refuse(connection, .tooManyConnections, .empty, nil)
        } else if isDraining {
            // It was in the queue of the kernel when the drain began; its request may be here already.
            receive(connection)
        }
        update(connection)
    }

    /// Closes a connection that says nothing, so that whoever connects and does nothing more cannot keep others out.
    private func makeWay() -> Bool {
        for _ in 0..<min(connections.count, Self.searchedForRoom) {
            hand = hand + 1 < connections.count ? hand + 1 : 0
            guard connections[hand].isDispensable(at: milliseconds) else { continue }
            shared.metrics.connectionsDisplaced.add()
            close(connections[hand])
            return true
        }
        return false
    }

    private func vacantConnection() -> Connection {
        if let slot = freeSlots.popLast() { return connections[slot] }
        let connection = Connection(slot: connections.count)
        connections.append(connection)
        return connection
    }

    /// Refuses a request, in its turn, and ends the connection after that; what was received is forgotten.
    func refuse(
        _ connection: Connection, _ refusal: Refusal, _ bytes: Bytes,
        _ parser: UnsafeMutablePointer<RequestParser>?
    ) {
        hasHandled = true
        let exchange = expectAnswer(connection, bytes, parser, closes: true)
        connection.lingers = true
        connection.owesContinue = false
        refusalHeaders.removeAll()
        if refusal.status == 503 { refusalHeaders.append("Retry-After: 1\r\n") }
        let known = parser ?? freshParser
        if parser == nil {
            known.initialize(to: RequestParser(headLimit: limits.head, bodyLimit: limits.body))
        }
        handler?.headers(forRefused: request(connection, bytes, known), &refusalHeaders)
        refusalBody.removeAll()
        refusalBody.appendErrorBody(status: refusal.status, code: refusal.code, message: refusal.message)
        respond(exchange, status: refusal.status, headers: refusalHeaders.bytes, body: refusalBody.bytes)
        connection.dropInput()
        charge(connection)
    }

    /// Everything was sent, and nothing more is taken.
    func end(_ connection: Connection) {
        // Closing with unread bytes would reset the connection, and the answer might be lost with it.
        guard !connection.peerIsDone, connection.lingers || hasUnread(connection) else {
            return close(connection)
        }
        shutdown(connection.socket, Int32(SHUT_WR))
        connection.phase = .lingering
    }

    private func hasUnread(_ connection: Connection) -> Bool {
        // Not into `room`: another connection's request may be there at this moment.
        var byte: UInt8 = 0
        return recv(connection.socket, &byte, 1, Int32(MSG_PEEK)) > 0
    }

    func close(_ connection: Connection) {
        guard connection.phase != .closed else { return }
        connection.phase = .closed
        closeSocket(connection.socket)
        connection.generation &+= 1
        connection.deadline = .max
        wheel.remove(connection.slot)
        while connection.pendingCount > 0 {
            connection.firstPending = pendings.remove(connection.firstPending)
            connection.pendingCount -= 1
        }
        if outOwner === connection {
            outOwner = nil
            out.removeAll()
        }
        buried.append(connection.slot)
        openCount -= 1
        load.add(-1)
        shared.metrics.connections.add(-1)
    }

    /// Makes the slots of closed connections free again. Only between batches: a batch may hold events of
    /// connections that it closed, and a request may still be looked at.
    func bury() {
        while let slot = buried.popLast() {
            connections[slot].dropInput()
            connections[slot].dropOutput()
            charge(connections[slot])
            freeSlots.append(slot)
        }
    }

    /// After anything happened: what is watched, and when to look again.
    func update(_ connection: Connection) {
        guard connection.phase != .closed else { return }
        if hasNothingToWaitFor(connection) { return close(connection) }
        let depth = depth
        let wanted = connection.wantedInterest(depth)
        if wanted != connection.interest {
            connection.interest = wanted
            poller.modify(connection.socket, wanted, token: connection.token)
        }
        connection.updateDeadline(at: milliseconds, depth, limits)
        if connection.deadline != .max { wheel.set(connection.slot, deadline: connection.deadline) }
    }

    /// The peer will send nothing more, or we want nothing more, and everything is answered.
    private func hasNothingToWaitFor(_ connection: Connection) -> Bool {
        guard connection.phase == .open, connection.pendingCount == 0, connection.unsent == 0,
            !connection.hasUnparsed, !connection.isConsuming, outOwner !== connection
        else { return false }
        return connection.peerIsDone || isDraining && connection.isIdle
    }

    /// Brings the memory budget up to date.
    func charge(_ connection: Connection) {
        let held = connection.heldBytes
        guard held != connection.charged else { return }
        shared.metrics.bufferedBytes.add(held - connection.charged)
        connection.charged = held
    }

    /// The peer does not take its answers, and all that is kept back for such peers is too much.
    func isHoardingTooMuch(_ connection: Connection) -> Bool {
        connection.unsent > 0 && shared.metrics.bufferedBytes.current > limits.memory
    }

    /// Looks after the deadlines.
    func tick() {
        ticker.acknowledge()
        expired.removeAll(keepingCapacity: true)
        wheel.advance(to: milliseconds, into: &expired)
        for slot in expired {
            let connection = connections[slot]
            guard connection.phase != .closed, connection.deadline != .max else { continue }
            if connection.deadline <= milliseconds { expire(connection) }
            update(connection)
        }
    }

    private func expire(_ connection: Connection) {
        switch connection.wait {
        case .nothing, .answer: break
        case .request, .peerToClose: close(connection)
        case .head: refuseSlow(connection, .headTooSlow)
        case .body:
            if connection.isBodyTooSlow(at: milliseconds, limits) { refuseSlow(connection, .bodyTooSlow) }
        case .reader: giveUp(connection)
        }
    }

    func giveUp(_ connection: Connection) {
        shared.metrics.connectionsTimedOut.add()
        close(connection)
    }

    private func refuseSlow(_ connection: Connection, _ refusal: Refusal) {
        shared.metrics.connectionsTimedOut.add()
        refuse(connection, refusal, connection.input.bytes, connection.parser)
    }

    /// Stops taking requests. Idle connections are closed; what has begun is finished. Calls back when the last
    /// connection is gone.
    func drain(_ done: @escaping () -> Void) {
        whenEmpty = done
        answering {
            isDraining = true
            for connection in connections where connection.isIdle {
                // Its next request may have arrived a moment ago.
                receive(connection)
                update(connection)
            }
        }
    }

    func closeAll() {
        answering {
            for connection in connections { close(connection) }
        }
    }
}

/// `close(2)`, where a method of the same name would hide it.
func closeSocket(_ socket: Int32) { _ = Glibc.close(socket) }
