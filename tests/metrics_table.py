"""MetricsTable: what docs/metrics.md says of each metric, and the queries that it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.program import ROOT

TEXT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
_ROW = re.compile(
    r"^\| `(?P<name>[a-z_]+)` \| (?P<kind>\w+) \|(?P<labels>[^|]*)\|[^|]+\|[^|]*\|$", re.M
)


@dataclass(frozen=True, slots=True)
class Row:
    """One metric's row."""

    kind: str
    labels: frozenset[str]


def rows() -> dict[str, Row]:
    """Return the rows by the metrics' names; fail where one stands there twice."""
    found: dict[str, Row] = {}
    for row in _ROW.finditer(TEXT):
        assert row["name"] not in found, f"{row['name']} stands in docs/metrics.md twice"
        labels = frozenset(label.strip() for label in row["labels"].split(",") if label.strip())
        found[row["name"]] = Row(row["kind"], labels)
    assert len(found) == len(re.findall(r"^\| `", TEXT, re.M)), "a row is none of the table's form"
    return found


def series() -> set[str]:
    """Return every name that a query may use."""
    names = set()
    for name, row in rows().items():
        parts = ("_bucket", "_count", "_sum") if row.kind == "histogram" else ("",)
        names |= {f"{name}{part}" for part in parts}
    return names


def queries() -> list[str]:
    """Return what is PromQL in the text around the tables."""
    prose = TEXT.partition("## Which part is slow?")[2].partition("\n## ")[0]
    return [code for code in re.findall(r"`([^`]+)`", prose) if "framepost_" in code]


def named(query: str) -> set[str]:
    """Return the metrics that a query names: what stands in no quotes and is none of its words."""
    bare = re.sub(
        r"\"[^\"]*\"|\{[^}]*\}|\b(?:by|on|without|ignoring|group_left)\s*\([^)]*\)", "", query
    )
    return set(re.findall(r"\b(?:framepost|process|up)[a-z_]*\b(?!\s*\()", bare)) - {"up"}
