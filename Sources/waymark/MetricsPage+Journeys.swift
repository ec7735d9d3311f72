import Loader

extension MetricsPage {
    mutating func journeys(_ loader: LoaderMetrics) {
        counter("waymark_enrolments_total", "Runs of journeys that began", loader.enrolled.total)
        counter("waymark_timers_total", "Timers of journeys that were decided", loader.timers.total)
        counter("waymark_deliveries_total", "Deliveries that journeys queued", loader.deliveries.total)
        counter("waymark_journey_goals_total", "Goals of journeys that were reached", loader.goals.total)
        counter(
            "waymark_journey_disproved_late_total",
            "Evidence that was told after the timer that it would have stopped was decided",
            loader.disprovedLate.total)
        counter(
            "waymark_journey_faults_total",
            "What journeys made of events and PostgreSQL refused: it is in the quarantine",
            loader.journeyFaults.total)
        counter(
            "waymark_journey_passed_by_total",
            "Events that went by a journey: the person had too many that waited for a timer's decision",
            loader.passedBy.total)
    }
}
