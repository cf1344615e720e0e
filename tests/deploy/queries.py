"""Queries: every PromQL expression that we ship, with where it stands."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests import metrics_table
from tests.deploy.prometheus import DEPLOY

DASHBOARD: dict[str, Any] = json.loads(
    (DEPLOY / "grafana" / "dashboards" / "framepost.json").read_text("utf-8")
)
#: What Grafana puts in the places of its variables.
_VARIABLES = {"$__rate_interval": "1m", "$camera": ".*"}


def of_dashboard() -> dict[str, str]:
    """Return the panels' expressions by panel and letter."""
    found = {}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in _VARIABLES.items():
                expression = expression.replace(name, value)
            found[f"{panel['title']} ({target['refId']})"] = expression
    return found


def of_rules() -> dict[str, str]:
    """Return the alerts' expressions by name."""
    content = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))
    return {rule["alert"]: rule["expr"] for group in content["groups"] for rule in group["rules"]}


def of_text() -> dict[str, str]:
    """Return the queries that docs/metrics.md tells people to make."""
    return {f"docs/metrics.md: {query}": query for query in metrics_table.queries()}


def every() -> dict[str, str]:
    return of_dashboard() | of_rules() | of_text()
