"""Webhooks: all of the receiver's webhooks, started, looked at and stopped together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from receiver.feeds.allow_list import AllowList
from receiver.feeds.backlog import Backlog
from receiver.feeds.journal import Journal
from receiver.feeds.webhook import Webhook, WebhookStatus
from shared.http_client import HttpClient
from shared.url import HttpUrl

#: Seconds for a stop: to send the rest, and to give up.
_LIMIT = 1.2


class Webhooks:
    """One Webhook for each URL; none of them waits for another. Any thread."""

    def __init__(
        self, journal: Journal, urls: Sequence[str], *, token: str | None, allow: AllowList
    ) -> None:
        """`token` goes to all of them, as Bearer. Raise ValueError for what is no URL."""
        self._all: list[Webhook] = []
        taken: Counter[str] = Counter()
        for url in map(HttpUrl.parse, urls):
            # The path stays unsaid: with many services it is the secret.
            taken[url.origin] += 1
            name = url.origin if taken[url.origin] == 1 else f"{url.origin} #{taken[url.origin]}"
            self._all.append(_build(name, url, journal, token=token, allow=allow))

    def start(self) -> None:
        for webhook in self._all:
            webhook.start()

    def stop(self) -> None:
        """Send what can be sent within a second, then end."""
        end = time.monotonic() + _LIMIT
        for webhook in self._all:
            webhook.ask_to_stop()
        for webhook in self._all:
            if not webhook.join(max(0.0, end - time.monotonic())):
                webhook.interrupt()
        for webhook in self._all:
            webhook.stop(timeout=0.5)

    @property
    def error(self) -> BaseException | None:
        """What ended one of the threads, if something did."""
        return next((webhook.error for webhook in self._all if webhook.error), None)

    def status(self) -> list[WebhookStatus]:
        return [webhook.status() for webhook in self._all]

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics, for Prometheus."""
        sent = CounterMetricFamily(
            "framepost_webhook_sent", "Results that a webhook took", labels=["webhook"]
        )
        dropped = CounterMetricFamily(
            "framepost_webhook_dropped",
            "Results that a webhook did not get",
            labels=["webhook", "reason"],
        )
        waiting = GaugeMetricFamily(
            "framepost_webhook_waiting", "Results that wait for a webhook", labels=["webhook"]
        )
        up = GaugeMetricFamily(
            "framepost_webhook_up", "1 while a webhook takes results", labels=["webhook"]
        )
        for status in self.status():
            up.add_metric([status.webhook], status.state == "ok")
            sent.add_metric([status.webhook], status.sent)
            waiting.add_metric([status.webhook], status.waiting)
            for reason, count in status.dropped.items():
                dropped.add_metric([status.webhook, reason], count)
        yield from (up, sent, dropped, waiting)


def _build(
    name: str, url: HttpUrl, journal: Journal, *, token: str | None, allow: AllowList
) -> Webhook:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "framepost-receiver",
        "X-Framepost-Event": "result",
    }
    authorization = f"Bearer {token}" if token else url.authorization
    if authorization is not None:
        headers["Authorization"] = authorization
    client = HttpClient(url.host, url.port, tls=url.tls, allow=allow.allows)
    return Webhook(
        name,
        Backlog(journal),
        client,
        target=url.target,
        headers=headers,
        name_of=journal.format_id,
    )
