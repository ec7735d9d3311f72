"""What Scripts/bench measures and prints. Standard library only."""

import argparse, contextlib, json, os, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, time
import urllib.request

from deliveries import Deliveries
from journeys import Journeys

WAYMARK, LOADGEN = os.environ["WAYMARK_BINARY"], os.environ["LOADGEN_BINARY"]
HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")
median = statistics.median
FIGURES = ["answers", "stored", "parts", "journeys", "latency", "deliveries", "idle"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid, children=False):
    """User and system time of a process; with `children` also of those it has and had."""
    def fields(pid):
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()
    own = fields(pid)
    ticks = sum(map(int, own[11:13]))
    if children:
        ticks += sum(map(int, own[13:15]))
        for other in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                f = fields(other)
                if f[1] == str(pid):
                    ticks += sum(map(int, f[11:13]))
    return ticks / TICK


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1]) / 1000


class Nginx:
    def __init__(self, work):
        self.port = free_port()
        paths = "".join(f"{kind}_temp_path {work}/{kind}; "
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{work}/nginx.conf", "w") as f:
            f.write(f"""
                daemon off; worker_processes 2; pid {work}/nginx.pid; error_log {work}/nginx.log crit;
                events {{ worker_connections 16384; }}
                http {{
                    access_log off; keepalive_requests 10000000; {paths}
                    server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ return 200 "{{}}"; }} }}
                }}""")
        self.process = subprocess.Popen(["nginx", "-c", f"{work}/nginx.conf", "-e", f"{work}/nginx.log"],
                                        stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Waymark:
    """A server with an embedded PostgreSQL of its own. Commit times are kept, so that we can see when what was answered
    became visible."""

    def __init__(self, work):
        self.port, self.work = free_port(), work
        self.file = f"{work}/waymark.yaml"
        self.configure()
        self.start()
        self.sql("alter system set track_commit_timestamp = on")
        self.stop()
        self.start()

    def configure(self, source="", more=""):
        with open(self.file, "w") as f:
            f.write(f"listen: 127.0.0.1:{self.port}\ndata: {self.work}/data\n"
                    f"sources: [{{id: bench, kind: web{source}}}]\n{more}")

    def restart(self, **configuration):
        self.drained()
        self.stop()
        self.configure(**configuration)
        self.start()

    def start(self):
        self.log = open(f"{self.work}/waymark.log", "a")
        self.process = subprocess.Popen([WAYMARK, "serve", "--config", self.file], stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.get("/readyz"):
                    break
            time.sleep(0.1)
        else:
            sys.exit(open(f"{self.work}/waymark.log").read() + "the server did not get ready")
        self.database = subprocess.run([WAYMARK, "database", "--config", self.file], check=True, text=True,
                                       capture_output=True).stdout.strip()
        with open(f"{self.sql('show data_directory')}/postmaster.pid") as f:
            self.postmaster = int(f.readline())

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def metric(self, name):
        return float(re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics"), re.M)[1])

    def stored(self):
        return self.metric('waymark_events_total{outcome="stored"}')

    def sql(self, text, database=None):
        conninfo = self.database if database is None else f"{self.database} dbname={database}"
        return subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", conninfo, "-c", text], check=True, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True).stdout.strip()

    def drained(self):
        """Waits: the loader must not work on the last round's events while the next one is measured."""
        for _ in range(2400):
            if self.metric("waymark_spool_backlog_bytes") == 0:
                return
            time.sleep(0.25)
        sys.exit("the backlog does not get empty")


def wrk(port, connections, seconds):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", f"{HERE}/track.lua",
                          f"http://127.0.0.1:{port}/track"], check=True, text=True, capture_output=True,
                         env={**os.environ, "SOURCE": "bench", "EVENTS": "1"}).stdout
    return json.loads(out.splitlines()[-1])


def loadgen(port, **options):
    words = [w for key, value in options.items() for w in
             ([f"--{key.replace('_', '-')}"] + ([] if value is True else [str(value)])) if value is not None]
    out = subprocess.run([LOADGEN, "--port", str(port), *words], text=True, capture_output=True).stdout
    return json.loads(out)


class Bench:
    def __init__(self, arguments, work):
        self.a, self.work = arguments, work
        self.nginx, self.waymark = Nginx(work), Waymark(work)
        self.figures, self.void, self.noisy = [], 0, False

    def stop(self):
        self.nginx.stop()
        self.waymark.stop()

    def add(self, figure, value, unit, target=None, beside=None, **more):
        self.figures.append({"figure": figure, "value": value, "unit": unit, "target": target, "beside": beside, **more})

    def is_void(self, *results):
        bad = any(r["non2xx"] or r["socket_errors"] for r in results)
        self.void += bad
        return bad

    # Durable answers in a second, against nginx's.
    def answers(self):
        for connections, target in ((64, "≥ 0.40"), (1000, "≥ 0.70")):
            pairs = []
            for _ in range(self.a.rounds):
                self.waymark.drained()
                nginx = wrk(self.nginx.port, connections, self.a.seconds)
                waymark = wrk(self.waymark.port, connections, self.a.seconds)
                if not self.is_void(nginx, waymark):
                    pairs.append((nginx, waymark))
                say(f"answers, {connections} connections: nginx {nginx['rps']:.0f}/s, waymark {waymark['rps']:.0f}/s")
            if not pairs:
                continue
            rates = [n["rps"] for n, _ in pairs]
            self.noisy |= max(rates) > 1.25 * min(rates)
            self.add(f"answers/s ÷ nginx, {connections} connections", round(median(w["rps"] / n["rps"] for n, w in pairs), 2),
                     "", target, f"{median(rates):.0f}/s and {median(w['rps'] for _, w in pairs):.0f}/s; p50 "
                     f"{median(w['p50_ms'] for _, w in pairs):.2f} ms, p99 {median(w['p99_ms'] for _, w in pairs):.2f} ms")

    # Events stored in a second while the backlog does not grow, against \copy of the same rows. The first seconds of a
    # load belong to the answers: what is measured begins when they are over.
    def stored(self):
        seconds = max(self.a.seconds * 6, 20)
        for name, options, target in (("2 events a request", {"events": 2}, "≥ 0.50"),
                                      ("2 events a request, with ids", {"events": 2, "ids": True}, "≥ 0.40"),
                                      ("100 events a request", {"events": 100}, "≥ 0.65")):
            ratios, rates, copies, own, pg = [], [], [], [], []
            for round in range(self.a.rounds):
                self.burst(**options)
                before = self.counts()
                result = loadgen(self.waymark.port, connections=64, seconds=seconds, backlog=8_000_000, warmup=2,
                                 seed=round + 1, **options)
                self.waymark.drained()
                after = self.counts()
                if self.is_void(result):
                    continue
                events, took = after["stored"] - before["stored"], after["at"] - before["at"]
                copy = self.copy_rate()
                rates.append(events / took)
                copies.append(copy)
                ratios.append(rates[-1] / copy)
                own.append((after["own"] - before["own"]) / events * 1e5)
                pg.append((after["pg"] - before["pg"]) / events * 1e5)
                say(f"stored, {name}: {rates[-1]:.0f}/s, \\copy {copy:.0f}/s")
            if not ratios:
                continue
            self.noisy |= max(copies) > 1.25 * min(copies)
            self.add(f"stored events/s ÷ \\copy, {name}", round_(median(ratios)), "", target,
                     f"{median(rates):.0f}/s and {median(copies):.0f}/s")
            self.add(f"server CPU per 100,000 events, {name}", round_(median(own)), "s", "≤ 1.5 s")
            self.add(f"PostgreSQL CPU per 100,000 events, {name}", round_(median(pg)), "s", "≤ 2.0 s")

    def counts(self):
        return {"at": time.monotonic(), "stored": self.waymark.stored(), "own": cpu_seconds(self.waymark.process.pid),
                "pg": cpu_seconds(self.waymark.postmaster, children=True)}

    def copy_rate(self, rows=200_000, batch=5_000):
        """Rows a second of \\copy, 5,000 a transaction, of the events stored last, into the same tables."""
        w, name = self.waymark, "yardstick"
        w.sql(f"drop database if exists {name}")
        w.sql(f"create database {name}")
        schema = subprocess.run(["pg_dump", "-s", "--no-owner", "-t", "event", "-t", "event_2*", w.database],
                                check=True, text=True, capture_output=True).stdout
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", f"{w.database} dbname={name}"], input=schema, check=True,
                       text=True, capture_output=True)
        w.sql(f"create table last as select * from event order by received_at desc limit {rows}")
        path = f"{self.work}/rows"
        subprocess.run(["psql", "-Xq", w.database, "-c", "\\copy last to " + path], check=True, capture_output=True)
        w.sql("drop table last")
        subprocess.run(["split", "-l", str(batch), path, path + "."], check=True)
        parts = sorted(f for f in os.listdir(self.work) if f.startswith("rows."))
        script = "".join(f"\\copy event from {self.work}/{part}\n" for part in parts)
        w.sql("checkpoint")
        begun = time.monotonic()
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", f"{w.database} dbname={name}"], input=script, check=True,
                       text=True, capture_output=True)
        took = time.monotonic() - begun
        count = int(w.sql("select count(*) from event", name))
        for part in parts + ["rows"]:
            os.unlink(f"{self.work}/{part}")
        w.sql(f"drop database {name}")
        return count / took

    # What parts cost: the stored rate with them against the rate without.
    def parts(self):
        events = {"events": 2, "emails": True}
        plain = {"more": "limits: {activities: 0}\n"}
        # The first events into an empty database are the cheapest.
        self.rate(**events)
        known = {"source": ", identify: {by: email, from: properties.email}", "more": "limits: {activities: 0}\n"}
        for name, on, target in (("the catalogue of activities", {}, "≥ 0.90"), ("identification", known, "≥ 0.85")):
            ratios = []
            for round in range(self.a.rounds):
                # Without, with, with, without: what grows or warms up meanwhile weighs on both alike.
                rates = {True: 0.0, False: 0.0}
                for is_on in (False, True, True, False):
                    self.waymark.restart(**(on if is_on else plain))
                    rates[is_on] += self.rate(seed=round + 1, **events)
                ratios.append(rates[True] / rates[False])
                say(f"{name}: {ratios[-1]:.2f}")
            self.add(f"stored events/s with {name} ÷ without", round_(median(ratios)), "", target)
        self.waymark.restart()

    def burst(self, **options):
        """After it the loader leaves the machine to nobody, until it was calm for five seconds."""
        loadgen(self.waymark.port, connections=64, seconds=14, backlog=8_000_000, warmup=0, seed=time.time_ns(), **options)
        self.waymark.drained()

    def rate(self, **options):
        self.burst(**{k: v for k, v in options.items() if k != "seed"})
        before = self.counts()
        result = loadgen(self.waymark.port, connections=64, seconds=max(self.a.seconds, 10), backlog=8_000_000, warmup=1,
                         **options)
        self.is_void(result)
        self.waymark.drained()
        after = self.counts()
        return (after["stored"] - before["stored"]) / (after["at"] - before["at"])

    # What journeys cost, and how soon their timers are looked at.
    def journeys(self):
        Journeys(self, loadgen, say).run()

    # How long an answer takes at a rate that does not depend on the answers, and how long until it is visible.
    def latency(self, name="", rate=2000, target_p50="≤ 0.5 ms", target_p99="≤ 2 ms"):
        nginx, waymark, visible = [], [], []
        for round in range(self.a.rounds):
            self.waymark.drained()
            nginx.append(loadgen(self.nginx.port, rate=rate, seconds=self.a.seconds, seed=round + 1))
            since = self.waymark.sql("select clock_timestamp()")
            waymark.append(loadgen(self.waymark.port, rate=rate, seconds=self.a.seconds, seed=round + 1))
            self.is_void(nginx[-1], waymark[-1])
            self.waymark.drained()
            visible.append(float(self.waymark.sql(
                "select extract(epoch from percentile_cont(0.99) within group (order by pg_xact_commit_timestamp(xmin) "
                f"- received_at)) * 1000 from event where received_at > '{since}'")))
        for what, target in (("p50", target_p50), ("p99", target_p99)):
            self.add(f"answer {what} at {rate}/s, open loop{name}", round_(median(r[f"{what}_ms"] for r in waymark)), "ms",
                     target, f"nginx {median(r[f'{what}_ms'] for r in nginx):.2f} ms")
        self.add(f"from arrival to visible, p99{name}", round_(median(visible)), "ms", "≤ 100 ms")

    # Ten thousand connections that say nothing.
    def idle(self):
        before = resident_mb(self.waymark.process.pid)
        sockets = []
        for n in range(10_000):
            s = socket.socket()
            s.bind((f"127.0.{1 + n // 250}.{1 + n % 250}", 0))
            s.connect(("127.0.0.1", self.waymark.port))
            s.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            s.recv(4096)
            sockets.append(s)
        self.latency(", 10,000 idle connections")
        self.add("most memory, with 10,000 idle connections", round(resident_mb(self.waymark.process.pid)), "MB",
                 None, f"{before:.0f} MB before")
        for s in sockets:
            s.close()

    # How fast what journeys fire goes out.
    def deliveries(self):
        Deliveries(self, wrk, loadgen, say).measure()

    # What it costs when there is much already.
    def growth(self):
        def rate():
            self.waymark.drained()
            before = self.counts()
            loadgen(self.waymark.port, connections=64, seconds=20, backlog=8_000_000, events=2, warmup=2, seed=time.time_ns())
            self.waymark.drained()
            after = self.counts()
            return (after["stored"] - before["stored"]) / (after["at"] - before["at"])
        first = median(rate() for _ in range(3))
        while self.waymark.stored() < 10_000_000:
            loadgen(self.waymark.port, connections=64, seconds=60, backlog=8_000_000, events=10, warmup=0, per_session=1,
                    seed=time.time_ns())
            say(f"growth: {self.waymark.stored():.0f} events")
        last = median(rate() for _ in range(3))
        sessions = self.waymark.sql("select count(*) from session")
        self.add("stored events/s with 10,000,000 events ÷ without", round_(last / first), "", "≥ 0.80",
                 f"{first:.0f}/s and {last:.0f}/s; {sessions} sessions")

    def run(self):
        settings = {name: self.waymark.sql(f"show {name}") for name in ("fsync", "synchronous_commit")}
        if set(settings.values()) != {"on"}:
            sys.exit(f"the database does not keep its promises: {settings}")
        for figure in self.a.only or FIGURES:
            getattr(self, figure)()
        if self.a.growth:
            self.growth()
        self.add("most memory of all of it", round(resident_mb(self.waymark.process.pid)), "MB", "≤ 100 MB")


def round_(value):
    return round(value, 2)


def table(bench):
    rows = [("figure", "measured", "at least", "beside")]
    rows += [(f["figure"], f"{f['value']} {f['unit']}".strip(), f["target"] or "", f["beside"] or "") for f in bench.figures]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    if bench.void:
        print(f"void rounds (answers other than 200): {bench.void}")
    if bench.noisy:
        print("The machine was too noisy: a yardstick differed by more than a quarter between rounds.")


def main():
    parser = argparse.ArgumentParser(prog="Scripts/bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--only", action="append", choices=FIGURES)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    work = tempfile.mkdtemp()
    os.chmod(work, 0o755)
    bench = None
    try:
        bench = Bench(arguments, work)
        bench.run()
    finally:
        if bench:
            bench.stop()
        shutil.rmtree(work, ignore_errors=True)
    if arguments.json:
        print(json.dumps({"figures": bench.figures, "void_rounds": bench.void, "noisy": bench.noisy}))
    else:
        table(bench)
    sys.exit(1 if bench.void or not bench.figures else 0)


if __name__ == "__main__":
    main()
