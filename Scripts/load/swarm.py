"""Clients that behave as no honest one does: many connections, driven by hand. Standard library only."""

import collections, errno, selectors, socket, struct, time


class Peer:
    __slots__ = ("socket", "plan", "unsent", "received", "opened", "drips")


class Swarm:
    """Keeps `count` connections to a server open until `attempts` were made or the time is over, and counts what
    became of each: the status of its answer, `closed`, `reset`, `refused`, or `open` at the end.

    `plan` makes, for each connection, the pieces it sends at once, piece by piece as the server takes them. `drip` is
    sent once a second after them. `leaves` is what it does when all is sent: wait for the `answer`, `reset` the
    connection, end its `half`, or stay, `deaf` to all answers.
    """

    def __init__(self, port, count, plan, attempts=None, drip=b"", leaves="answer", rate=None):
        self.port, self.count, self.plan, self.attempts = port, count, plan, attempts or 1 << 60
        self.drip, self.leaves, self.rate = drip, leaves, rate
        self.made, self.open, self.outcomes = 0, {}, collections.Counter()
        self.selector = selectors.EpollSelector()

    def run(self, seconds):
        begin, next_drip = time.monotonic(), time.monotonic() + 1
        end = begin + seconds
        while (now := time.monotonic()) < end and (self.open or self.made < self.attempts):
            allowed = self.made + 200 if self.rate is None else int(self.rate * (now - begin)) + 1
            while len(self.open) < self.count and self.made < min(self.attempts, allowed):
                self.connect()
            for key, events in self.selector.select(0.02):
                self.serve(key.data, events)
            if self.drip and now >= next_drip:
                next_drip += 1
                for peer in list(self.open.values()):
                    if not peer.unsent:
                        self.send(peer, self.drip)
        for peer in list(self.open.values()):
            self.end(peer, "open")
        return self.outcomes

    def connect(self):
        n, self.made = self.made, self.made + 1
        peer = Peer()
        peer.socket = socket.socket()
        peer.socket.setblocking(False)
        peer.plan, peer.unsent, peer.received, peer.opened = iter(self.plan()), b"", b"", time.monotonic()
        try:
            # Some 250 source addresses a thousand connections: no address runs out of ports.
            peer.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            peer.socket.bind((f"127.{1 + n % 250}.{1 + n // 250 % 250}.9", 0))
            peer.socket.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        except OSError as error:
            self.outcomes[errno.errorcode.get(error.errno, "?")] += 1
            return peer.socket.close()
        self.open[peer.socket.fileno()] = peer
        self.selector.register(peer.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)

    def serve(self, peer, events):
        if events & selectors.EVENT_READ and not self.read(peer):
            return
        if events & selectors.EVENT_WRITE:
            self.write(peer)

    def read(self, peer):
        if self.leaves == "deaf" and peer.unsent == b"" and not peer.received:
            # Never reads; whether the server has closed is seen by sending.
            self.selector.modify(peer.socket, selectors.EVENT_WRITE, peer)
            return True
        try:
            data = peer.socket.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return self.end(peer, self.status(peer) or "reset")
        if not data:
            return self.end(peer, self.status(peer) or "closed")
        peer.received = (peer.received + data)[:4096]
        head, found, body = peer.received.partition(b"\r\n\r\n")
        if self.leaves != "answer" or not found:
            return True
        length = [int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")]
        if length and len(body) >= min(length[0], 3000):
            return self.end(peer, self.status(peer))
        return True

    def write(self, peer):
        while True:
            if not peer.unsent:
                peer.unsent = next(peer.plan, b"")
                if not peer.unsent:
                    return self.all_is_sent(peer)
            if not self.send(peer, b""):
                return
            if peer.unsent:
                return

    def send(self, peer, more):
        peer.unsent = bytes(peer.unsent) + more if more else peer.unsent
        try:
            peer.unsent = memoryview(peer.unsent)[peer.socket.send(peer.unsent):]
            if not len(peer.unsent):
                peer.unsent = b""
            return True
        except BlockingIOError:
            return True
        except OSError:
            # An answer may be there: what it says comes first.
            try:
                peer.received += peer.socket.recv(4096)
            except OSError:
                pass
            self.end(peer, self.status(peer) or "reset")
            return False

    def all_is_sent(self, peer):
        if self.leaves == "reset":
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return self.end(peer, "left")
        if self.leaves == "half":
            peer.socket.shutdown(socket.SHUT_WR)
        self.selector.modify(peer.socket, selectors.EVENT_READ, peer)

    @staticmethod
    def status(peer):
        return peer.received[9:12].decode("latin1") if peer.received.startswith(b"HTTP/1.1 ") else None

    def end(self, peer, outcome):
        self.outcomes[outcome] += 1
        self.selector.unregister(peer.socket)
        del self.open[peer.socket.fileno()]
        peer.socket.close()
        return False
