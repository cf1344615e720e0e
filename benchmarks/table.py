"""The table of README's chapter Performance, as Markdown, from the results of the last runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measuring.comparison import Comparison, markdown
from benchmarks.measuring.summary import RESULTS

#: What a benchmark wrote.
Results = Mapping[str, Any]
#: The sizes that results name, as people do.
_SIZES = {"640x360": "360p", "854x480": "480p", "1280x720": "720p", "1920x1080": "1080p"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of JSON files")


def run(arguments: argparse.Namespace) -> int:
    comparisons: list[Comparison] = []
    for name, read in READERS.items():
        path: Path = arguments.results / f"{name}.json"
        if not path.exists():
            print(f"{name}: not measured yet; python -m benchmarks {name}", file=sys.stderr)
            continue
        try:
            comparisons += read(json.loads(path.read_text(encoding="utf-8")))
        except (KeyError, ValueError) as exc:
            print(
                f"{path}: expected what {name} writes now, got other results ({exc})",
                file=sys.stderr,
            )
            return 1
    print(markdown(comparisons))
    return 0


def _latency(results: Results) -> Iterator[Comparison]:
    what = f"camera (H.264 {_size(results)}) to hook"
    for key, words in (("p50_ms", "median"), ("p99_ms", "99 %")):
        yield Comparison(f"{what}, {words}", "ms", _each(results["rows"], key), True)


def _throughput(results: Results) -> Iterator[Comparison]:
    for size, rows in results["sizes"].items():
        what = f"array to array through JPEG, {_SIZES.get(size, size)}"
        yield Comparison(what, "frames/s", _each(rows, "fps"), False)


def _transports(results: Results) -> Iterator[Comparison]:
    for size, rows in results["sizes"].items():
        steady = {name: row["steady"] for name, row in rows.items()}
        fast = {name: row["fast"] for name, row in rows.items()}
        what = f"program to algorithm, {_SIZES.get(size, size)}"
        yield Comparison(what, "frames/s", _each(fast, "fps"), False)
        rate = f"{results['fps']:g}/s"
        yield Comparison(f"{what} at {rate}, median", "ms", _each(steady, "p50_ms"), True)
        cpu = {name: float(sum(row["cpu_us_per_frame"].values())) for name, row in steady.items()}
        yield Comparison(f"{what} at {rate}, CPU for a frame", "µs", cpu, True)


def _scale(results: Results) -> Iterator[Comparison]:
    added = float(results["answer"]["added_p50_ms"])
    yield Comparison("an answer over the bus, more than within", "ms", {"Framepost": added}, True)
    ratio = float(results["workers"]["ratio"])
    what = "two workers on the bus instead of one"
    yield Comparison(what, "times the runs", {"Framepost": ratio}, False)


def _ingest(results: Results) -> Iterator[Comparison]:
    most = max(row["connections"] for row in results["rows"])
    rows = {row["name"]: row for row in results["rows"] if row["connections"] == most}
    what = f"JPEGs of {results['jpeg_bytes'] // 1000} kB taken in, {most} connections"
    yield Comparison(what, "frames/s", _each(rows, "fps"), False)
    yield Comparison("CPU for each of these", "µs", _each(rows, "cpu_us_per_frame"), True)


def _raw(results: Results) -> Iterator[Comparison]:
    what = f"raw {_size(results)} arrays on one machine"
    values = _each(results["rows"], "fps")
    yield Comparison(what, "frames/s", values, False)


def _hooks(results: Results) -> Iterator[Comparison]:
    values = {name: float(ratio) for name, ratio in results["ratios"].items()}
    yield Comparison("two hook workers instead of one", "times the runs", values, False)


def _passthrough(results: Results) -> Iterator[Comparison]:
    what = f"sender's CPU for MJPEG {_size(results)} at {results['fps']:g}/s"
    yield Comparison(what, "% of a core", _each(results["rows"], "sender_percent"), True)


def _viewers(results: Results) -> Iterator[Comparison]:
    # Viewers of another width cost an encode, and show fewer bytes: nothing to compare with.
    same = {n: row for n, row in results["contestants"].items() if "wide" not in n}
    what = f"server's CPU for a viewer's picture, {_size(results)}"
    yield Comparison(what, "µs", _each(same, "cpu_us_per_picture"), True)
    ours = same.get("Framepost")
    if ours is not None:
        most = max(ours["viewers"], key=int)
        share = ours["viewers"][most]["hook_fps_share"]
        if share is not None:
            what = f"hook's rate with {most} viewers and {results['stuck']} stuck ones"
            yield Comparison(what, "% of that with none", {"Framepost": 100 * share}, False)


def _cameras(results: Results) -> Iterator[Comparison]:
    ours = results["contestants"].get("Framepost", {})
    if not ours:
        return
    most = max(ours, key=int)
    values = {}
    for name, rows in results["contestants"].items():
        # Who fell behind sheds work instead of doing it, so its last good number counts.
        good = [n for n in rows if rows[n]["fps"] >= 0.9 * results["fps"] * int(n)]
        if good:
            values[name] = float(sum(rows[max(good, key=int)]["cpu_us_per_frame"].values()))
    values["limit: codecs"] = float(results["codecs_us_per_frame"])
    yield Comparison(f"CPU for a frame, camera to hook, {_size(results)}", "µs", values, True)
    slowdown = ours[most]["p99_ms"] / ours[min(ours, key=int)]["p99_ms"]
    what = f"99 % latency with {most} cameras"
    yield Comparison(what, "times that with one", {"Framepost": slowdown}, True)


def _answer(results: Results) -> Iterator[Comparison]:
    for size, rows in results["sizes"].items():
        values = {
            f"classic {name}" if "base64" in name else f"Framepost, {name}": float(row["p50"])
            for name, row in rows.items()
        }
        what = f"pixels in memory to the hook's answer, {_SIZES.get(size, size)}"
        yield Comparison(what, "ms", values, True)


def _each(rows: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, float]:
    return {name: float(row[key]) for name, row in rows.items() if row[key] is not None}


def _size(results: Results) -> str:
    return _SIZES.get(results["size"], str(results["size"]))


#: In the table's order.
READERS: dict[str, Callable[[Results], Iterator[Comparison]]] = {
    "latency": _latency,
    "throughput": _throughput,
    "scale": _scale,
    "transports": _transports,
    "raw": _raw,
    "answer": _answer,
    "ingest": _ingest,
    "hooks": _hooks,
    "cameras": _cameras,
    "viewers": _viewers,
    "passthrough": _passthrough,
}
