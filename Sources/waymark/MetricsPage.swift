import Foundations
import Glibc
import HTTP
import Identity
import Intake
import Loader
import Spool

/// The text of `/metrics`, in Prometheus' exposition format, version 0.0.4. Every metric is explained in
/// `docs/operations.md`.
struct MetricsPage: ~Copyable {
    private var out = ByteBuffer(capacity: 16 << 10)

    static func render(
        http: HTTPMetrics, admin: HTTPMetrics?, intake: IntakeMetrics, loader: LoaderMetrics,
        identity: IdentityMetrics, loaderStatus: LoaderStatus, catalogue: CatalogueMetrics,
        outbound: Outbounds, spool: SpoolStatus,
        lookupFailures: Int,
        startedAt: Timestamp, now: Timestamp, _ text: inout ByteBuffer
    ) {
        var page = MetricsPage()
        page.requests(http)
        if let admin { page.adminRequests(admin) }
        page.intake(intake)
        page.events(loader)
        page.identity(identity)
        page.quarantine(loader.replays)
        page.journeys(loader)
        page.catalogue(catalogue)
        page.outbound(outbound)
        page.spool(spool, now)
        page.gauge("waymark_database_up", "1 while the loader is connected", loaderStatus.isConnected ? 1 : 0)
        page.counter(
            "waymark_database_errors_total", "Failures of the loader's connection",
            loader.databaseErrors.total)
        page.counter(
            "waymark_lookup_failures_total", "Look-ups before the answer that failed", lookupFailures)
        page.gauge(
            "waymark_ledger_balanced", "0 when the ledger does not add up",
            loaderStatus.ledgerMismatch == nil ? 1 : 0)
        page.gauge("process_resident_memory_bytes", "Resident memory", residentBytes())
        page.gauge("process_start_time_seconds", "When the server started", Int(startedAt.seconds))
        text.append(page.out.bytes)
    }

    private mutating func identity(_ identity: IdentityMetrics) {
        counter("waymark_profiles_known_total", "Profiles that became known", identity.known.total)
        counter("waymark_profiles_merged_total", "Profiles merged into others", identity.merges.total)
        counter(
            "waymark_sessions_rebound_total", "Sessions that went over to another person",
            identity.rebinds.total)
        counter(
            "waymark_identity_conflicts_total", "Identities of somebody else that changed nothing",
            identity.conflicts.total)
        counter(
            "waymark_ignored_values_total", "Values that can be no identity or trait",
            identity.ignoredValues.total)
        counter(
            "waymark_ignored_trait_changes_total", "Changes of traits that do not fit",
            identity.ignoredChanges.total)
        counter(
            "waymark_events_waiting_total", "Events that began to wait for their person",
            identity.waiting.total)
        counter(
            "waymark_events_attached_total", "Events that got their person later", identity.attached.total)
        counter("waymark_events_expired_total", "Events that waited in vain", identity.expired.total)
        head("waymark_outside_lookups_total", "Questions to other systems, by what came of them", "counter")
        let outcomes = [
            ("found", identity.lookupsFound), ("nobody", identity.lookupsEmpty),
            ("retried", identity.lookupsRetried), ("failed", identity.lookupsFailed),
        ]
        for (name, counter) in outcomes {
            sample("waymark_outside_lookups_total{outcome=\"\(name)\"}", counter.total)
        }
    }

    private mutating func requests(_ http: HTTPMetrics) {
        head("waymark_requests_total", "Requests answered, by status", "counter")
        for (status, count) in http.requests { sample("waymark_requests_total{code=\"\(status)\"}", count) }
        histogram("waymark_answer_seconds", "From a request's last byte to its answer", http.latency)
        gauge("waymark_connections", "Open connections", http.connections.current)
        counter("waymark_connections_accepted_total", "Connections accepted", http.connectionsAccepted.total)
        counter(
            "waymark_connections_refused_total", "Connections turned away: too many",
            http.connectionsRefused.total)
        counter(
            "waymark_connections_displaced_total", "Idle connections closed to make room for new ones",
            http.connectionsDisplaced.total)
        counter(
            "waymark_connections_timed_out_total", "Connections cut off: too slow",
            http.connectionsTimedOut.total)
        counter("waymark_received_bytes_total", "Bytes received", http.bytesReceived.total)
        counter("waymark_sent_bytes_total", "Bytes sent", http.bytesSent.total)
        gauge("waymark_buffered_bytes", "Memory of all connections' buffers", http.bufferedBytes.current)
    }

    private mutating func adminRequests(_ admin: HTTPMetrics) {
        head("waymark_admin_requests_total", "Requests of the admin API, by status", "counter")
        for (status, count) in admin.requests {
            sample("waymark_admin_requests_total{code=\"\(status)\"}", count)
        }
    }

    private mutating func intake(_ intake: IntakeMetrics) {
        counter("waymark_received_events_total", "Events of authenticated requests", intake.received.total)
        head(
            "waymark_refused_requests_total", "Requests refused by Intake, by the code of the answer",
            "counter")
        for (code, count) in intake.refused {
            sample("waymark_refused_requests_total{code=\"\(code)\"}", count)
        }
        counter(
            "waymark_unsettled_answers_total", "Answers without a look-up: the database was away or too slow",
            intake.unsettled.total)
        counter(
            "waymark_pending_answers_total", "Answers that waited for the commit in vain",
            intake.pending.total)
        gauge(
            "waymark_in_flight_bytes", "Requests that wait for the disk or for a look-up",
            intake.inFlight.current)
    }

    private mutating func events(_ loader: LoaderMetrics) {
        head("waymark_events_total", "Events, by what became of them", "counter")
        let outcomes = [
            ("stored", loader.stored), ("duplicate", loader.duplicate), ("denied", loader.denied),
            ("quarantined", loader.quarantined), ("unsaved", loader.unsaved),
        ]
        for (name, counter) in outcomes { sample("waymark_events_total{outcome=\"\(name)\"}", counter.total) }
        counter(
            "waymark_poison_events_total", "Events that PostgreSQL refused, or that crashed us",
            loader.poison.total)
        counter(
            "waymark_sessions_started_total", "Sessions that began, and came back after silence",
            loader.sessionsStarted.total)
        counter(
            "waymark_sessions_ended_total", "Sessions that ended by silence", loader.sessionsEnded.total)
        counter(
            "waymark_bot_sessions_total", "New sessions whose user agent is a program's", loader.bots.total)
        counter("waymark_batches_total", "Transactions of the loader", loader.batches.total)
        histogram(
            "waymark_commit_seconds", "From a request's arrival to the commit of its events", loader.toCommit)
    }

    private mutating func quarantine(_ replays: ReplayMetrics) {
        head("waymark_quarantine_events", "Events in the quarantine, by reason", "gauge")
        for (reason, count) in replays.quarantine {
            sample("waymark_quarantine_events{reason=\"\(label(reason))\"}", count)
        }
        head("waymark_replays_total", "Replays, by what became of them", "counter")
        for (outcome, count) in replays.replays {
            sample("waymark_replays_total{outcome=\"\(outcome)\"}", count)
        }
    }

    /// A label's value as the format wants it.
    private func label(_ text: String) -> String {
        text.reduce(into: "") { out, character in
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
    }

    private mutating func spool(_ spool: SpoolStatus, _ now: Timestamp) {
        let lag = spool.oldestUnloaded.map { max(0, now.seconds - $0.seconds) } ?? 0
        gauge("waymark_spool_bytes", "What the spool takes on disk", spool.bytes)
        gauge("waymark_spool_capacity_bytes", "What it may take", spool.capacity)
        gauge("waymark_spool_backlog_bytes", "What is not in PostgreSQL yet", spool.backlogBytes)
        gauge("waymark_spool_lag_seconds", "Age of the oldest event that is not in PostgreSQL yet", Int(lag))
        gauge("waymark_spool_full", "1 when events are refused", spool.isFull ? 1 : 0)
        gauge("waymark_spool_failed", "1 when the disk refuses writes", spool.failure == nil ? 0 : 1)
        counter("waymark_spool_corruptions_total", "Damaged places found since the start", spool.corruptions)
    }

    mutating func counter(_ name: String, _ help: String, _ value: Int) {
        head(name, help, "counter")
        sample(name, value)
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Int) {
        head(name, help, "gauge")
        sample(name, value)
    }

    mutating func histogram(_ name: String, _ help: String, _ histogram: Histogram) {
        head(name, help, "histogram")
        var total = 0
        for (bound, count) in histogram.cumulative {
            let label = bound.map { seconds($0) } ?? "+Inf"
            sample("\(name)_bucket{le=\"\(label)\"}", count)
            total = count
        }
        line("\(name)_sum \(seconds(histogram.sumMicroseconds))")
        sample("\(name)_count", total)
    }

    /// Microseconds as seconds, in decimal.
    private func seconds(_ microseconds: Int) -> String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }

    mutating func head(_ name: String, _ help: String, _ kind: String) {
        line("# HELP \(name) \(help)")
        line("# TYPE \(name) \(kind)")
    }

    mutating func sample(_ name: String, _ value: Int) { line("\(name) \(value)") }

    private mutating func line(_ text: String) {
        out.append(text)
        out.append(10)
    }

    /// The second number of `/proc/self/statm`, in pages.
    private static func residentBytes() -> Int {
        guard let file = try? FileDescriptor(open: "/proc/self/statm", O_RDONLY) else { return 0 }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file.raw, &bytes, bytes.count)
        guard count > 0 else { return 0 }
        let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}
