"""How fast deliveries go out: what `Scripts/bench --only deliveries` measures. Standard library only."""

import contextlib, os, shutil, socket, subprocess, sys, time
from statistics import median

# Every event of loadgen's `hook-0000`, … fires the webhook of its number, at once and each time.
JOURNEY = ("  hook_{n:04d}:\n    state: live\n    on: {{did: hook-{n:04d}}}\n    reentry: always\n"
           "    do: [{{webhook: hook_{n:04d}, params: {{number: \"{n}\"}}}}]\n")
WEBHOOK = ("  hook_{n:04d}: {{url: \"{url}\", limit: {{concurrency: {concurrency}}}, allow_networks: [127.0.0.0/8]}}\n")
RATE = 500


class Deliveries:
    def __init__(self, bench, wrk, loadgen, say):
        self.bench, self.waymark, self.a = bench, bench.waymark, bench.a
        self.wrk, self.loadgen, self.say = wrk, loadgen, say
        self.folder = f"{bench.work}/journeys"

    def measure(self):
        os.makedirs(self.folder, exist_ok=True)
        try:
            self.throughput()
            self.latency()
            self.lanes()
        finally:
            self.apply(0, None)
            shutil.rmtree(self.folder)
            self.waymark.restart()

    # So many journeys, each with its webhook; the first one's may be elsewhere.
    def apply(self, count, url, first=None, concurrency=10):
        self.waymark.drained()
        with open(f"{self.folder}/bench.yaml", "w") as f:
            if count:
                f.write("webhooks:\n" + "".join(
                    WEBHOOK.format(n=n, url=first if first and n == 0 else url, concurrency=concurrency)
                    for n in range(count)))
                f.write("journeys:\n" + "".join(JOURNEY.format(n=n) for n in range(count)))
        self.waymark.restart(more=f"panel: bench\njourneys: {self.folder}\n")
        self.command("journeys", "apply")
        time.sleep(6)  # all servers read it within 5 s

    def command(self, *words):
        done = subprocess.run([os.environ["WAYMARK_BINARY"], *words, "--config", self.waymark.file], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            sys.exit(f"waymark {' '.join(words)}: {done.stdout}{done.stderr}")

    def waiting(self):
        return int(self.waymark.sql("select count(*) from delivery where state in ('queued', 'batched')"))

    def emptied(self):
        for _ in range(2400):
            if self.waiting() == 0:
                return
            time.sleep(0.1)
        sys.exit("the queue of deliveries does not get empty")

    def counts(self):
        sent, failed = (int(self.waymark.metric(f'waymark_delivery_attempts_total{{outcome="{outcome}"}}'))
                        for outcome in ("success", "failure"))
        commits, syncs, wal = self.waymark.sql(
            "select (select sum(xact_commit) from pg_stat_database), wal_sync, wal_bytes from pg_stat_wal").split("|")
        return {**self.bench.counts(), "sent": sent, "failed": failed, "commits": float(commits), "syncs": float(syncs),
                "wal": float(wal)}

    # What was sent between two counts; nothing may have failed.
    def between(self, before, after, name):
        difference = {key: after[key] - before[key] for key in before}
        if difference["failed"] or not difference["sent"]:
            self.bench.void += 1
            self.say(f"{name}: void, {difference['failed']} of {difference['sent']} requests failed")
            return None
        return difference

    # Deliveries a second, to a nginx that says 200: with the events that fire them, and from the queue alone.
    def throughput(self):
        self.apply(1, f"http://127.0.0.1:{self.bench.nginx.port}/")
        ways = {"events and deliveries": [], "deliveries from the queue": []}
        for round in range(self.a.rounds):
            nginx = self.wrk(self.bench.nginx.port, 64, self.a.seconds)["rps"]
            for name, rates in ways.items():
                is_queue = name == "deliveries from the queue"
                due = self.queue_again() if is_queue else None
                before = self.counts()
                if not is_queue:
                    self.pour(round)
                self.waymark.drained()
                self.emptied()
                took = self.since_first(due) if is_queue else time.monotonic() - before["at"]
                time.sleep(1)  # what PostgreSQL counts it says a little later
                spent = self.between(before, self.counts(), name)
                if spent:
                    rates.append((spent["sent"] / took, nginx, spent))
                    self.say(f"{name}: {rates[-1][0]:.0f}/s, nginx {nginx:.0f}/s")
        for name, rates in ways.items():
            self.report(name, rates)

    def pour(self, round):
        self.loadgen(self.waymark.port, connections=64, seconds=2 * self.a.seconds, backlog=2_000_000, hooks=1,
                     warmup=0, seed=round + 1)

    # What was sent is due once more, when this statement is long over; when.
    def queue_again(self):
        due = self.waymark.sql("select clock_timestamp() + '10 s'")
        self.waymark.sql(f"update delivery set state = 'queued', next_at = '{due}', attempt_base = attempt")
        return due

    # Seconds from the first attempt that was made since.
    def since_first(self, due):
        return float(self.waymark.sql(
            f"select extract(epoch from clock_timestamp() - min(at)) from attempt where at >= '{due}'"))

    def report(self, name, rates):
        if not rates:
            return
        spent = [s for _, _, s in rates]

        def each(key, factor):
            return median(s[key] / s["sent"] * factor for s in spent)
        self.bench.add(f"{name}/s", round(median(r for r, _, _ in rates)), "", "≥ 5000",
                       f"÷ nginx, which asks nobody: {median(r / n for r, n, _ in rates):.2f}; a thousand take the server "
                       f"{each('own', 1e6):.0f} ms, PostgreSQL {each('pg', 1e6):.0f} ms of processor time, "
                       f"{each('commits', 1000):.0f} transactions, {each('syncs', 1000):.0f} fsyncs of the log, "
                       f"{each('wal', 1):.0f} kB of it")

    # From the answer to the event to the post at the receiver, at a rate that does not depend on either.
    def latency(self):
        port = free_port()
        self.apply(1, f"http://127.0.0.1:{port}/hook")
        rounds = [self.round(port, hooks=1, seed=n + 1) for n in range(self.a.rounds)]
        rounds = [r for r in rounds if r]
        if rounds:
            self.bench.add(f"from the answer to the webhook's post, p99 at {RATE}/s, open loop",
                           round(median(r["hook_p99_ms"] for r in rounds)), "ms", "≤ 250 ms",
                           f"p50 {median(r['hook_p50_ms'] for r in rounds):.0f} ms, "
                           f"most {max(r['hook_max_ms'] for r in rounds):.0f} ms")

    def round(self, port, **options):
        result = self.loadgen(self.waymark.port, rate=RATE, seconds=self.a.seconds, receive=port, **options)
        self.say(f"deliveries: {result['hooks']} posts, p99 {result['hook_p99_ms']} ms")
        lost = result["hooks_missing"] or not result["hooks"]
        if lost:
            self.say(f"deliveries: void, {result['hooks_missing']} posts did not come")
        self.bench.void += bool(lost)
        return None if self.bench.is_void(result) or lost else result

    # A thousand webhooks, each tenth event for one of them, which hangs or does not.
    def lanes(self):
        port = free_port()
        self.apply(1000, f"http://127.0.0.1:{port}/hook", first=f"http://127.0.0.1:{port}/hanging")
        self.round(port, hooks=1000, favour=10, healthy=True)  # the first look of each
        ratios, healthy = [], []
        for n in range(self.a.rounds):
            p99 = {True: 0.0, False: 0.0}
            # Without, with, with, without: what grows or warms up meanwhile weighs on both alike.
            for is_dead in (False, True, True, False):
                result = self.round(port, hooks=1000, favour=10, seed=n + 2,
                                    **({"hanging": True} if is_dead else {"healthy": True}))
                p99[is_dead] = p99[is_dead] + result["hook_p99_ms"] if result else float("nan")
                self.revive("hook_0000")
            if p99[True] == p99[True] and p99[False] == p99[False]:
                ratios.append(p99[True] / p99[False])
                healthy.append(p99[False] / 2)
        if ratios:
            self.bench.add("p99 of 1,000 webhooks with one that hangs ÷ without", round(median(ratios), 2), "", "≤ 1.10",
                           f"{median(healthy):.0f} ms without")

    # What waits for it is dropped, so that the next round begins as the first one did.
    def revive(self, name):
        self.waymark.drained()
        # The server still gives them their attempts: whoever loses against it tries again.
        for _ in range(20):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.waymark.sql(f"delete from delivery where webhook = '{name}' and state = 'queued'")
                break
        self.command("webhook", "enable", name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]
