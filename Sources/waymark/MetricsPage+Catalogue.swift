import Loader

extension MetricsPage {
    mutating func catalogue(_ catalogue: CatalogueMetrics) {
        counter(
            "waymark_catalogue_events_total", "Events that the catalogue learnt from", catalogue.events.total)
        counter(
            "waymark_catalogue_overflow_events_total", "Events that were stored and not learnt from: no room",
            catalogue.overflowed.total)
        counter("waymark_catalogue_flushes_total", "Transactions of the catalogue", catalogue.flushes.total)
        counter(
            "waymark_catalogue_changes_total", "Entries in the histories of activities",
            catalogue.changes.total)
        counter(
            "waymark_catalogue_errors_total", "Failures of the catalogue's connection", catalogue.errors.total
        )
        counter(
            "waymark_catalogue_gaps_total", "Times that the spool no longer had what was to be learnt",
            catalogue.gaps.total)
        counter(
            "waymark_catalogue_view_errors_total", "Typed views that could not be changed yet",
            catalogue.viewErrors.total)
        gauge("waymark_catalogue_up", "1 while the catalogue is connected", catalogue.isConnected.current)
        histogram(
            "waymark_catalogue_seconds", "From an event's arrival to the catalogue, of each flush's oldest",
            catalogue.toCommit)
    }
}
