"""Exposed: what a program's /metrics says, read as Prometheus reads it."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from prometheus_client.parser import text_string_to_metric_families

#: What a histogram's series are called besides its own name, and the label that buckets have.
_PARTS = ("_bucket", "_count", "_sum", "_created", "_total")


@dataclass(frozen=True, slots=True)
class Exposed:
    """A metric: its type, and the label sets that its series had."""

    name: str
    kind: str
    labels: frozenset[frozenset[str]]
    series: int


def read(text: str) -> dict[str, Exposed]:
    """Return the metrics by the names that queries use: a counter's ends with _total."""
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = frozenset(frozenset(sample.labels) - {"le"} for sample in family.samples)
        found[name] = Exposed(name, family.type, labels, len(family.samples))
    return found


def ask(url: str) -> dict[str, Exposed]:
    """Return what the program at `url` exposes."""
    return read(requests.get(f"{url}/metrics", timeout=30).text)
