"""Page: the table of docs/reliability.md, anew from the record: `python -m tests.survive.page`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tests.program import ROOT
from tests.survive import catalogue, record
from tests.survive.trial import Trial

PAGE = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- table: python -m tests.survive.page -->\n", "<!-- end of the table -->\n"
#: Characters of a sentence that says why a promise was broken.
_LONGEST = 160


def main() -> int:
    """Write the table into the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    lacking = [name for name in catalogue.every() if "run" not in record.read(name)]
    if lacking:
        print(f"not run yet: {' '.join(lacking)}", file=sys.stderr)
    return 0


def renewed(text: str) -> str:
    """Return the page's text with its table as it has to be."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + "\n" + table() + "\n" + _END + after


def table() -> str:
    """Return the table of all trials, in Markdown."""
    lines = [
        "| trial | what is promised | what the last run saw | without its defence |",
        "|---|---|---|---|",
    ]
    for trial in catalogue.every().values():
        known = record.read(trial.name)
        saw, disarmed = _saw(known.get("run")), _disarmed(trial, known.get("disarmed"))
        cells = (f"`{trial.name}`", trial.promise, saw, disarmed)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _saw(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "not run yet"
    figures = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in run["figures"].items()
    )
    said = figures if run["state"] == "kept" else f"**{run['state']}**: {_short(run['sentence'])}"
    form = "short form, " if "--quick" in run["command"] else ""
    return f"{said} ({form}{run['seconds']:.0f} s, {run['date']})"


def _disarmed(trial: Trial, run: Mapping[str, Any] | None) -> str:
    if trial.disarm is None:
        return "–"
    if run is None:
        return f"{trial.disarm}: not run yet"
    said = _short(run["sentence"]) if run["state"] == "broken" else f"**{run['state']}**"
    return f"{run['took_away']}: {said}"


def _short(sentence: str) -> str:
    """Return the sentence, without what programs said behind it."""
    line = sentence.partition("\n")[0]
    return line if len(line) <= _LONGEST else line[:_LONGEST].rsplit(" ", 1)[0] + " …"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
