package import Foundations
import Glibc

/// From answers to bytes.
///
/// Answers are written into `out`, which belongs to one connection at a time: as long as answers to the same
/// connection follow each other they leave together, with one `send`. What the peer does not take moves into the
/// connection's own buffer, and nothing more is read from it until that is gone.
extension Lane {
    /// Answers a request, in the handler's call or any time later, in any order; pipelined answers are sent in
    /// the order of their requests. An exchange that is over is ignored. On the lane's queue only.
    ///
    /// `headers` are whole lines with CRLF. Date, Content-Length, Connection and X-Request-Id are added; there
    /// is no Content-Type without a content type, and no body for HEAD, 204 and 304.
    package func respond(
        _ exchange: Exchange, status: Int, contentType: StaticString = "application/json",
        headers: Bytes = .empty, body: Bytes = .empty
    ) {
        assertOnQueue()
        let slot = Int(exchange.slot)
        guard slot < connections.count else { return }
        let connection = connections[slot]
        guard connection.generation == exchange.generation, connection.phase == .open,
            let pending = find(connection, exchange.sequence), pendings[pending].early == nil
        else { return }
        settleLater()
        if isDraining, connection.pendingCount == 1, connection.input.count == 0, !connection.isConsuming {
            letGo(connection, pending)
        }

        let entry = pendings[pending]
        tally.answered(status, microseconds: Int((nanoseconds &- entry.startedAt) / 1000), shared.metrics)
        let isFirst = pending == connection.firstPending
        if outOwner !== connection { flush() }
        if isFirst { outOwner = connection }
        let start = out.count
        write(entry, pendings.id(pending), status, contentType, headers, body)
        if isFirst {
            finishFirst(connection)
        } else {
            pendings[pending].early = keepEarly(from: start)
        }
        if out.count >= Self.fullOutput { flush() }
    }

    private func find(_ connection: Connection, _ sequence: UInt32) -> Int32? {
        var distance = sequence &- connection.firstSequence
        guard distance < UInt32(connection.pendingCount) else { return nil }
        var pending = connection.firstPending
        while distance > 0 {
            pending = pendings[pending].next
            distance -= 1
        }
        return pending
    }

    /// The connection ends with this answer.
    private func letGo(_ connection: Connection, _ pending: Int32) {
        connection.takesNoMore = true
        pendings[pending].closes = true
    }

    /// Notes a request, so that its answer finds everything it needs.
    func expectAnswer(
        _ connection: Connection, _ bytes: Bytes, _ parser: UnsafeMutablePointer<RequestParser>?, closes: Bool
    ) -> Exchange {
        var entry = PendingTable.Entry(
            sequence: connection.nextSequence, startedAt: nanoseconds, closes: closes)
        var id = Bytes.empty
        if let parser {
            entry.isHead = parser.pointee.method == .head
            entry.isOldVersion = parser.pointee.isOldVersion
            let sent = parser.pointee.fields[Int(Header.xRequestID.rawValue)]
            if !sent.isAbsent, Grammar.isRequestID(bytes.slice(sent.range)) { id = bytes.slice(sent.range) }
        }
        let pending = pendings.add(entry, id: id)
        if connection.pendingCount == 0 {
            connection.firstPending = pending
            connection.firstSequence = connection.nextSequence
        } else {
            pendings.append(pending, to: connection.lastPending)
        }
        connection.lastPending = pending
        connection.pendingCount += 1
        connection.nextSequence &+= 1
        connection.wait = .nothing
        if closes { connection.takesNoMore = true }
        return Exchange(
            slot: UInt32(connection.slot), generation: connection.generation, sequence: entry.sequence)
    }

    private func write(
        _ entry: PendingTable.Entry, _ id: Bytes, _ status: Int, _ contentType: StaticString,
        _ headers: Bytes,
        _ body: Bytes
    ) {
        out.reserve(512 + headers.count + body.count)
        out.append(Status.line(status))
        out.append(dateLine.bytes)
        if contentType.utf8CodeUnitCount > 0 {
            out.append("Content-Type: ")
            out.append(contentType)
            out.append("\r\n")
        }
        if !Status.hasNoBody(status) {
            out.append("Content-Length: ")
            out.append(decimal: body.count)
            out.append("\r\n")
        }
        out.append("X-Request-Id: ")
        if id.count > 0 { out.append(id) } else { out.append(UUID.v4(&random)) }
        if entry.closes {
            out.append("\r\nConnection: close\r\n")
        } else if entry.isOldVersion {
            out.append("\r\nConnection: keep-alive\r\n")
        } else {
            out.append("\r\n")
        }
        out.append(headers)
        out.append("\r\n")
        if !entry.isHead, !Status.hasNoBody(status) { out.append(body) }
    }

    /// Takes an answer back out of `out` that came before its turn.
    private func keepEarly(from start: Int) -> UnsafeMutableRawBufferPointer {
        let bytes = out[start..<out.count]
        let kept = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        kept.copyMemory(from: bytes)
        out.truncate(to: start)
        return kept
    }

    /// The first pending answer is in `out`: the ones after it that were waiting for it follow.
    private func finishFirst(_ connection: Connection) {
        while true {
            let isLast = pendings[connection.firstPending].closes
            connection.firstPending = pendings.remove(connection.firstPending)
            connection.firstSequence &+= 1
            connection.pendingCount -= 1
            connection.wait = .nothing
            if isLast { connection.closesAfterOutput = true }
            guard connection.pendingCount > 0 else { break }
            guard let early = pendings[connection.firstPending].early else { return }
            out.append(Bytes(early))
        }
        if connection.owesContinue, connection.parser != nil { sendContinue(connection) }
    }

    /// `100 Continue`, once the answers before it are in `out` or sent.
    func sendContinue(_ connection: Connection) {
        connection.owesContinue = false
        if outOwner !== connection { flush() }
        outOwner = connection
        out.append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Sends what is in `out`.
    func flush() {
        guard let connection = outOwner else { return }
        outOwner = nil
        defer { out.removeAll() }
        guard connection.phase == .open else { return }
        if connection.unsent > 0 {
            connection.output.append(out.bytes)
        } else if out.count > 0 {
            let bytes = out.bytes
            let count = send(connection.socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno != EAGAIN, errno != EINTR { return close(connection) }
            tally.sent += max(count, 0)
            if count < bytes.count { connection.output.append(bytes.slice(max(count, 0)..<bytes.count)) }
        }
        afterSending(connection)
        update(connection)
    }

    /// The peer takes more of what it did not take before.
    func sendRest(_ connection: Connection) {
        guard connection.phase == .open, connection.unsent > 0 else { return }
        let rest = connection.output[connection.outputSent..<connection.output.count]
        let count = send(connection.socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        if count < 0 {
            if errno != EAGAIN, errno != EINTR { close(connection) }
            return
        }
        tally.sent += count
        connection.outputSent += count
        connection.since = milliseconds
        if connection.unsent == 0 { connection.dropOutput() }
        afterSending(connection)
    }

    private func afterSending(_ connection: Connection) {
        charge(connection)
        if isHoardingTooMuch(connection) { return giveUp(connection) }
        guard connection.unsent == 0 else { return }
        if connection.closesAfterOutput, connection.pendingCount == 0 {
            end(connection)
        } else if connection.hasUnparsed, connection.mayTake(depth), !connection.isQueuedToResume {
            connection.isQueuedToResume = true
            resumable.append(connection.slot)
        }
    }
}
