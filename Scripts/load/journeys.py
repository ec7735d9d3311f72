"""What journeys cost, and how soon timers are looked at: `Scripts/bench --only journeys`. Standard library only."""

import os, random, re, statistics, subprocess, time

median = statistics.median
# What loadgen sends.
ACTIVITIES = ["page-view", "purchase-order", "add-to-cart", "sign-up", "search-query", "video-play"]
# Conditions that none of its events meets, each of another kind.
UNMET = ["price >= 1000", "product == \"Nike socks\"", "quantity > 10 && currency == \"EUR\"",
         "tags.any(it == \"vip\")", "url matches \"*newsletter=none*\""]
# Each is met by one event in a hundred: prices are spread evenly from 0 to 500.
MET = [f"price >= {low} && price < {low + 5}" for low in (100, 150, 200, 250, 300)]
WAITING = "waiting"


def files(webhook):
    """A hundred journeys: five that start often, two of which deliver at once, and ninety-five that look at events and
    wait for others, but never start. One more has only the timers that the benchmark puts into the tables."""
    text = f"webhooks:\n  here: {{url: '{webhook}', allow_networks: [127.0.0.0/8]}}\njourneys:\n"
    def journey(name, did, where, unless):
        wait = f"    unless: {{did: {unless}, within: 2h}}\n" if unless else ""
        return (f"  {name}:\n    state: live\n    on: {{did: [{did}], where: '{where}'}}\n{wait}"
                f"    reentry: {'always' if unless is None else 'after_exit'}\n    do: [{{webhook: here}}]\n")
    for i, where in enumerate(MET):
        text += journey(f"met_{i}", ", ".join(ACTIVITIES), where, ACTIVITIES[i] if i < 3 else None)
    for i in range(95):
        text += journey(f"unmet_{i}", ACTIVITIES[i % 6], UNMET[i % 5], ACTIVITIES[(i + 1) % 6])
    return text + journey(WAITING, "nothing that is sent", "true", "nothing else")


def scenario():
    """Events like those of loadgen, that start nothing."""
    source = random.Random(1)
    text = "scenarios:\n  a_visit:\n    journey: unmet_0\n    expect: []\n    events:\n"
    for i in range(100):
        text += (f"      - {{at: {i}s, profile: ann, did: {source.choice(ACTIVITIES)}, with: {{product: Levi jeans, sku: "
                 f"SKU-{source.randrange(100_000, 999_999)}, quantity: {source.randrange(1, 6)}, price: "
                 f"{source.randrange(500)}.{source.randrange(10, 100)}, currency: EUR, url: "
                 f"'https://shop.example.com/Oslo/item/{source.randrange(99_999)}?ref=newsletter', "
                 f"tags: [a{source.randrange(9)}, b{source.randrange(9)}]}}}}\n")
    return text


# Enrolments that wait, as the engine writes them: so many, due after `due` (an expression over i).
PENDING = """
with q as materialized (
    select gen_random_uuid() as id, gen_random_uuid() as profile, gen_random_uuid() as event,
        date_trunc('milliseconds', {due}) as due from generate_series(1, {count}) i),
p as (insert into profile (bucket, id, created_at, last_seen_at) select bucket_of(profile), profile, now(), now() from q)
insert into enrolment (bucket, id, subject, by_event, journey, version, key, n, phase, step, started_at, due, is_latest, state)
select bucket_of(profile), id, profile, false, j.name, j.version, '', 1, 'awaiting', '0', due - interval '2h', due, true,
    format('{{"id":"%s","journey":"%s","version":"%s","profile":"%s","key":"","n":1,"started":%s,"enrolled":%s,'
        '"phase":"awaiting","step":"0","due":%s,"until":%s,"entry":{{"id":"%s","activity":"page-view","source":"bench",'
        '"time":%s,"received":%s,"properties":{{"product":"Levi jeans","price":33.10,"quantity":2,"currency":"EUR"}}}}}}',
        id, j.name, j.version, profile, at - 7200000000, at - 7200000000, at, at, event, at - 7200000000, at - 7200000000)
from q cross join lateral (select (extract(epoch from due) * 1000000)::bigint as at) t
    join journey j on j.name = '{journey}' and j.is_current
"""


class Journeys:
    def __init__(self, bench, loadgen, say):
        self.bench, self.loadgen, self.say = bench, loadgen, say
        self.waymark, self.folder = bench.waymark, f"{bench.work}/journeys"
        os.makedirs(self.folder, exist_ok=True)
        with open(f"{self.folder}/journeys.yaml", "w") as f:
            f.write(files(f"http://127.0.0.1:{bench.nginx.port}/"))
        with open(f"{self.folder}/scenarios.yaml", "w") as f:
            f.write(scenario())

    def run(self):
        self.engine()
        self.rates()
        self.timers()
        self.clear()

    def command(self, *words):
        return subprocess.run([os.environ["WAYMARK_BINARY"], "journeys", *words], check=True, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL).stdout

    def apply(self):
        self.command("apply", self.folder, "--config", self.waymark.file)
        time.sleep(2)

    def clear(self):
        """No journeys, and nobody in one."""
        self.delivered()
        self.waymark.sql("delete from journey; update rulebook set generation = generation + 1; "
                         "truncate enrolment, memory, decision, delivery, attempt, batch")
        time.sleep(2)

    def delivered(self):
        for _ in range(1200):
            if self.waymark.sql("select count(*) from (select from delivery where state in ('queued', 'batched') limit 1) q") == "0":
                return
            time.sleep(0.25)
        raise SystemExit("the deliveries do not get fewer")

    # The engine alone, in a process of its own.
    def engine(self):
        out = self.command("simulate", self.folder, "--repeat", "2000")
        took = {name: float(value) for value, name in re.findall(r"^ *([\d.]+) ns +(.*)$", out, re.M)}
        for what, name, target, unit, scale in (("an event that nobody listens to", "nobody", "≤ 50 ns", "ns", 1),
                                                ("an event that no condition fits", "no condition", None, "ns", 1),
                                                ("a step that comes to something", "something", "≤ 2 µs", "µs", 1000)):
            value = next(value for key, value in took.items() if name in key)
            self.bench.add(f"the engine alone, 100 journeys: {what}", round_(value / scale), unit, target)

    # The stored rate with a hundred journeys against the rate without.
    def rates(self):
        ratios, costs, enrolled, sent = [], [], 0, 0
        self.bench.rate(events=2)
        for round in range(self.bench.a.rounds):
            rates, cost = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
            for is_on in (False, True, True, False):
                self.apply() if is_on else self.clear()
                before = self.bench.counts()
                rates[is_on] += self.bench.rate(events=2, seed=round + 1)
                after = self.bench.counts()
                cost[is_on] += sum(after[k] - before[k] for k in ("own", "pg")) / (after["stored"] - before["stored"])
                if is_on:
                    events = after["stored"] - before["stored"]
                    enrolled = int(self.waymark.sql("select count(*) from enrolment")) / events
                    sent = int(self.waymark.sql("select count(*) from delivery")) / events
                    self.clear()
            ratios.append(rates[True] / rates[False])
            costs.append(cost[True] / cost[False])
            self.say(f"100 journeys: {ratios[-1]:.2f}, processor time × {costs[-1]:.2f}")
        self.bench.add("stored events/s with 100 journeys ÷ without", round_(median(ratios)), "", "≥ 0.75",
                       f"{rates[True] / 2:.0f}/s and {rates[False] / 2:.0f}/s; enrolments of {enrolled:.1%} and deliveries of "
                       f"{sent:.1%} of the events")
        self.bench.add("processor time per stored event with 100 journeys ÷ without", round_(median(costs)), "")

    # How soon a timer is looked at among a million, while events come in.
    def timers(self, pending=1_000_000, rate=500, burst=20_000):
        self.apply()
        self.say(f"timers: {pending} into the tables")
        for _ in range(10):
            self.pend(pending // 10, "now() + interval '1h' + random() * interval '24h'")
        self.waymark.sql("vacuum (analyze) enrolment")
        self.waymark.sql("vacuum (analyze) profile")
        self.waymark.sql("checkpoint")
        seconds = max(self.bench.a.seconds, 10)
        self.pend(rate * seconds, f"now() + interval '3s' + i * interval '1s' / {rate}")
        self.bench.is_void(self.loadgen(self.waymark.port, rate=250, events=2, seconds=seconds + 5))
        took = self.decided(rate * seconds)
        self.bench.add(f"{pending} timers, {rate}/s due beside 500 events/s: from due to decided, p99", round_(took["p99"]),
                       "s", "≤ 1 s", f"median {took['p50']:.2f} s, most {took['most']:.2f} s")
        self.waymark.sql("truncate decision")
        self.pend(burst, "now() + interval '4s'")
        took = self.decided(burst)
        self.bench.add(f"{pending} timers, {burst} due at the same moment: from due to the last one decided",
                       round_(took["most"]), "s", None, f"median {took['p50']:.2f} s")

    def pend(self, count, due):
        self.waymark.sql(PENDING.format(count=count, due=due, journey=WAITING))

    def decided(self, count):
        """Waits until so many fired; how long each was due, in seconds, when what was decided was committed."""
        fired = f"from decision where journey = '{WAITING}' and kind = 'fired'"
        for _ in range(480):
            if int(self.waymark.sql(f"select count(*) {fired}")) >= count:
                break
            time.sleep(0.25)
        else:
            raise SystemExit("timers are not decided")
        late = "extract(epoch from pg_xact_commit_timestamp(xmin) - at)"
        values = self.waymark.sql(f"select percentile_cont(array[0.5, 0.99, 1]) within group (order by {late}) {fired}")
        return dict(zip(("p50", "p99", "most"), map(float, values.strip("{}").split(","))))


def round_(value):
    return round(value, 2)
