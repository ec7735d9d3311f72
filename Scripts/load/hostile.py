"""What Scripts/hostile does and prints. Standard library only."""

import argparse, collections, gzip, itertools, json, multiprocessing, os, re, shutil, signal, socket, statistics, sys
import tempfile, threading, time

from bench import Waymark, loadgen, say
from swarm import Swarm

POST = b"POST /track HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
median = statistics.median


def sized(body, more=b""):
    return POST + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def event(properties):
    return b'{"source":{"id":"bench"},"events":[{"type":"attack","properties":' + properties + b"}]}"


def whole(request):
    return lambda: [request]


def gigabyte():
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    return itertools.chain([POST + b"Transfer-Encoding: chunked\r\n\r\n"], itertools.repeat(chunk, 1 << 14))


def endless_head():
    return itertools.chain([b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "], itertools.repeat(b"a" * 65536, 1 << 14))


FLAT = gzip.compress(b" " * (200 << 20))
NESTED = gzip.compress(gzip.compress(b" " * (2000 << 20), 9), 9)
MANY_KEYS = event(b"{" + b",".join(b'"k%x":%d' % (n * 0x9E3779B97F4A7C15 % (1 << 64), n) for n in range(150_000)) + b"}")
SAME_KEYS = event(b"{" + b",".join(b'"k":%d' % n for n in range(400_000)) + b"}")
DEEP = event(b"[" * 2_000_000 + b"]" * 2_000_000)[: 4 << 20]

# What is done, by how many connections at a time, and how many in all; the floods come from several processes.
ATTACKS = {
    "slow heads": dict(count=2000, plan=whole(b"POST /track HTTP/1.1\r\nHost: a\r\nX-A: "), drip=b"a"),
    "slow bodies": dict(count=2000, plan=whole(POST + b"Content-Length: 100000\r\n\r\n"), drip=b" "),
    "silent connections": dict(count=17_000, attempts=17_000, plan=lambda: [], processes=6),
    "gzip bomb, flat": dict(count=4, plan=whole(sized(FLAT, b"Content-Encoding: gzip\r\n")), rate=20),
    "gzip bomb, nested": dict(count=4, plan=whole(sized(NESTED, b"Content-Encoding: gzip\r\n")), rate=20),
    "gzip bomb, two codings": dict(count=4, plan=whole(sized(NESTED, b"Content-Encoding: gzip, gzip\r\n")), rate=20),
    "a gigabyte in chunks": dict(count=4, plan=gigabyte, rate=20),
    "a gigabyte announced": dict(count=50, plan=whole(POST + b"Content-Length: 1073741824\r\n\r\n" + b" " * 4096), rate=200),
    "many header fields": dict(
        count=20, plan=whole(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n"),
        rate=200),
    "an endless header": dict(count=20, plan=endless_head, rate=200),
    "150,000 keys": dict(count=2, plan=whole(sized(MANY_KEYS)), rate=2),
    "400,000 equal keys": dict(count=2, plan=whole(sized(SAME_KEYS)), rate=2),
    "two million brackets": dict(count=2, plan=whole(sized(DEEP)), rate=10),
    "answers never read": dict(count=50, plan=lambda: [b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 1000], leaves="deaf"),
    "half-closed in the middle": dict(count=50, plan=whole(POST + b"Content-Length: 5000\r\n\r\n{"), leaves="half", rate=500),
    "reset in the middle": dict(count=50, plan=whole(POST + b"Content-Length: 5000\r\n\r\n{"), leaves="reset", rate=500),
    "reset before the answer": dict(count=50, plan=whole(sized(event(b"{}"))), leaves="reset", rate=200),
}


def attack(port, seconds, options):
    """Runs it in processes of its own, which give way to everybody else; returns what became of its connections."""
    options = dict(options)
    processes = options.pop("processes", 1)

    def work(pipe):
        os.nice(19)
        pipe.send(Swarm(port, **options).run(seconds))

    pipes, workers = [], []
    for _ in range(processes):
        mine, theirs = multiprocessing.Pipe()
        worker = multiprocessing.get_context("fork").Process(target=work, args=(theirs,))
        worker.start()
        pipes.append(mine)
        workers.append(worker)
    outcomes = collections.Counter()
    for pipe, worker in zip(pipes, workers):
        outcomes += pipe.recv()
        worker.join()
    return outcomes


class Newcomers:
    """Honest clients that come meanwhile, each over a connection of its own, ten a second: how many were served."""

    def __init__(self, port, seconds):
        self.port, self.seconds, self.outcomes = port, seconds, collections.Counter()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                    s.sendall(sized(event(b"{}")))
                    self.outcomes[s.recv(4096)[9:12].decode("latin1") or "closed"] += 1
            except OSError as error:
                self.outcomes[type(error).__name__] += 1
            time.sleep(0.1)

    def join(self):
        self.thread.join()
        return self.outcomes


def memory_mb(pid, name="VmRSS"):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(rf"{name}:\s+(\d+)", f.read())[1]) / 1024


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")


class Hostile:
    def __init__(self, arguments, waymark):
        self.a, self.waymark, self.rows = arguments, waymark, []

    def run(self):
        # Once around, so that what is allocated once and kept does not count as growth.
        self.honest(2)
        for name in self.a.only or ATTACKS:
            self.measure(name, ATTACKS[name])

    def honest(self, seconds):
        return loadgen(self.waymark.port, rate=self.a.rate, connections=16, seconds=seconds, warmup=0)

    def measure(self, name, options):
        ratios, outcomes, newcomers, failed, pid = [], collections.Counter(), collections.Counter(), 0, self.waymark.process.pid
        before = memory_mb(pid)
        forget_peak(pid)
        for _ in range(self.a.rounds):
            self.waymark.drained()
            quiet = self.honest(self.a.seconds)
            thread = Newcomers(self.waymark.port, self.a.seconds + 1)
            box = []
            attacker = threading.Thread(
                target=lambda: box.append(attack(self.waymark.port, self.a.seconds + 1, options)))
            attacker.start()
            time.sleep(1)
            loud = self.honest(self.a.seconds)
            attacker.join()
            newcomers += thread.join()
            outcomes += box[0]
            failed += loud["non2xx"] + loud["socket_errors"]
            ratios.append(loud["p99_ms"] / max(quiet["p99_ms"], 0.001))
        peak = memory_mb(pid, "VmHWM")
        served = newcomers["200"] / max(newcomers.total(), 1)
        self.rows.append({
            "attack": name, "sees": dict(outcomes.most_common(5)), "p99_ratio": round(median(ratios), 2), "failed": failed,
            "newcomers_served": round(served, 3), "memory_mb": [round(before), round(peak)]})
        say(json.dumps(self.rows[-1]))
        if not served == 1:
            say(f"  newcomers: {dict(newcomers)}")


def table(rows):
    head = ("attack", "its connections saw", "p99 of others ÷ without", "newcomers served", "memory")
    lines = [head, ("---",) * len(head)]
    for row in rows:
        sees = ", ".join(f"{outcome}: {n}" for outcome, n in row["sees"].items())
        lines.append((row["attack"], sees, f"{row['p99_ratio']}", f"{row['newcomers_served']:.0%}",
                      "{} → {} MB".format(*row["memory_mb"])))
    for line in lines:
        print("| " + " | ".join(line) + " |")


def main():
    parser = argparse.ArgumentParser(prog="Scripts/hostile")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--rate", type=int, default=200, help="the honest clients' requests a second")
    parser.add_argument("--only", action="append", choices=list(ATTACKS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    work = tempfile.mkdtemp()
    os.chmod(work, 0o755)
    waymark = None
    try:
        waymark = Waymark(work)
        hostile = Hostile(arguments, waymark)
        hostile.run()
    finally:
        if waymark:
            waymark.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(hostile.rows)) if arguments.json else table(hostile.rows)
    sys.exit(1 if any(row["failed"] for row in hostile.rows) else 0)


if __name__ == "__main__":
    main()
