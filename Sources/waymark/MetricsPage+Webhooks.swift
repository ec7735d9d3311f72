import Webhooks

extension MetricsPage {
    mutating func outbound(_ outbound: Outbounds) {
        let sender = outbound.sender.metrics
        head("waymark_delivery_attempts_total", "Requests to webhooks, by what came of them", "counter")
        sample("waymark_delivery_attempts_total{outcome=\"success\"}", sender.sent.total)
        sample("waymark_delivery_attempts_total{outcome=\"failure\"}", sender.failed.total)
        counter("waymark_deliveries_claimed_total", "Deliveries taken from the queue", sender.claimed.total)
        histogram("waymark_delivery_seconds", "From a request to a webhook to its answer", sender.latency)
        counter("waymark_mails_total", "Mails about webhooks that were sent", outbound.alerter.mailed.total)
        counter(
            "waymark_mail_failures_total", "Mails about webhooks that could not be sent",
            outbound.alerter.failed.total
        )
    }
}
