"""Chart: a benchmark's figures as horizontal bars, for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.measuring.summary import RESULTS

_OURS, _THEIRS = "#1f6feb", "#8c959f"


def bars(
    name: str,
    values: Mapping[str, float],
    *,
    title: str,
    unit: str,
    limit: float | None = None,
    limit_name: str = "limit",
) -> Path:
    """Draw `values` by contestant into results/NAME.svg and return where.

    Names that begin with "Framepost" stand out; `limit` is drawn as a line.
    """
    # Here, because `quick` is run where nothing can be drawn.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The same figures make the same file.
    mpl.rcParams["svg.hashsalt"] = name
    figure = Figure(figsize=(8, 0.8 + 0.42 * len(values)), layout="constrained")
    axes = figure.subplots()
    colours = [_OURS if one.startswith("Framepost") else _THEIRS for one in values]
    drawn = axes.barh(list(values), list(values.values()), color=colours)
    axes.bar_label(drawn, fmt="{:,.4g}", padding=3)
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    if limit is not None:
        axes.axvline(limit, color="#cf222e", linestyle="--", linewidth=1, label=limit_name)
        axes.legend(loc="best", frameon=False)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
