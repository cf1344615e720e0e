from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import table
from benchmarks.measuring.comparison import Comparison, markdown

TIMES = {"Framepost": 4.0, "imageZMQ": 20.0, "NetGear": 12.0, "OpenCV + classic": 80.0, "limit": 3}


def test_the_best_of_each_kind_is_compared_and_the_classic_way_stands_apart() -> None:
    one = Comparison("latency", "ms", TIMES, True)

    assert (one.ours, one.rival, one.classic, one.limit) == (
        *("Framepost", "NetGear"),
        *("OpenCV + classic", "limit"),
    )
    assert (one.ahead("NetGear"), one.ahead("OpenCV + classic")) == (3, 20)


def test_where_more_is_better_the_ratio_is_the_other_way_round() -> None:
    one = Comparison("rate", "frames/s", {"Framepost": 60.0, "Framepost, slow": 9, "b": 30}, False)

    assert (one.ours, one.rival) == ("Framepost", "b")
    assert one.ahead("b") == 2


def test_a_row_names_the_rival_and_how_far_behind_it_is() -> None:
    rows = markdown([Comparison("latency", "ms", TIMES, True)]).splitlines()

    assert rows[2:] == ["| latency | **4 ms** | 12 ms, 3.0 × (NetGear) | 80 ms, 20.0 × | 3 ms |"]


def test_a_contest_without_rivals_or_without_us_is_told_or_left_out() -> None:
    alone = Comparison("a", "%", {"Framepost": 1234.5}, True)
    absent = Comparison("b", "%", {"NetGear": 1}, True)

    assert markdown([alone, absent]).splitlines()[2:] == ["| a | **1,234 %** |  |  |  |"]


def row(**figures: float) -> dict[str, Any]:
    return {"p50_ms": 1.0, "p99_ms": 2.0, "fps": 25.0, **figures}


CPU: dict[str, Any] = {"cpu_us_per_frame": {"sender": 700, "redis": 55}}
RESULTS: Mapping[str, Mapping[str, Any]] = {
    "latency": {
        "size": "1280x720",
        "rows": {"Framepost": row(), "OpenCV + classic": row(p50_ms=9)},
    },
    "throughput": {"sizes": {"1280x720": {"Framepost, stream": row(fps=500), "NetGear": row()}}},
    "transports": {
        "fps": 25,
        "sizes": {
            "854x480": {
                "classic: Redis, raw": {"fast": row(fps=200), "steady": row(p50_ms=4) | CPU},
                "Framepost, Redis, raw": {"fast": row(fps=400), "steady": row() | CPU},
            }
        },
    },
    "ingest": {
        "jpeg_bytes": 200_100,
        "rows": [
            {"name": "Framepost", "connections": count, "fps": fps, "cpu_us_per_frame": 200}
            for count, fps in ((1, 1000), (64, 3000))
        ],
    },
    "raw": {"size": "1920x1080", "rows": {"Framepost, shared memory": row(fps=2000)}},
    "scale": {"answer": {"added_p50_ms": 2.5}, "workers": {"ratio": 1.9}},
    "hooks": {"ratios": {"Framepost": 1.9, "LitServe": 1.5}},
    "passthrough": {
        "size": "1920x1080",
        "fps": 25,
        "rows": {"Framepost, MJPEG": row(sender_percent=2.5)},
    },
    "viewers": {
        "size": "1280x720",
        "stuck": 5,
        "contestants": {
            "Framepost": {
                "cpu_us_per_picture": 90.0,
                "viewers": {
                    "10": {"hook_fps_share": 1.0},
                    "100": {"hook_fps_share": 0.995},
                },
            },
            "Framepost, 640 pixels wide": {"cpu_us_per_picture": 1.0, "viewers": {}},
        },
    },
    "cameras": {
        "size": "640x360",
        "fps": 10,
        "codecs_us_per_frame": 1400,
        "contestants": {
            "Framepost": {
                "1": row(fps=10, p99_ms=5) | {"cpu_us_per_frame": {"sender": 1, "receiver": 2}},
                "32": row(fps=319, p99_ms=8) | {"cpu_us_per_frame": {"sender": 3, "receiver": 4}},
            },
            "classic": {
                "1": row(fps=10) | {"cpu_us_per_frame": {"sender": 5, "receiver": 6}},
                "2": row(fps=9) | {"cpu_us_per_frame": {"sender": 0, "receiver": 0}},
            },
        },
    },
    "answer": {
        "sizes": {"1280x720": {"KServe, shared memory": {"p50": 1.2}, "base64 form": {"p50": 8}}}
    },
}


def write(folder: Path, results: Mapping[str, Mapping[str, Any]]) -> Namespace:
    for name, content in results.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return Namespace(results=folder)


def test_every_benchmark_has_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(RESULTS) == set(table.READERS)
    assert table.run(write(tmp_path, RESULTS)) == 0

    said, complaints = capsys.readouterr()
    assert complaints == ""
    for cell in (
        *("camera (H.264 720p) to hook, median | **1 ms** |", "9 ms, 9.0 ×"),
        *(
            "**500 frames/s** | 25 frames/s, 20.0 × (NetGear)",
            "64 connections | **3,000 frames/s**",
        ),
        *("raw 1080p arrays on one machine | **2,000 frames/s**", "**1.9 times the runs**"),
        *("**2.5 % of a core**", "viewer's picture, 720p | **90 µs**"),
        *("100 viewers and 5 stuck ones | **99.5 % of", "with 32 cameras | **1.6 times"),
        "algorithm, 480p | **400 frames/s** |  | 200 frames/s, 2.0 ×",
        "480p at 25/s, median | **1 ms** |  | 4 ms, 4.0 ×",
        "480p at 25/s, CPU for a frame | **755 µs** |  | 755 µs, 1.0 ×",
        "to the hook's answer, 720p | **1.2 ms** |  | 8 ms, 6.7 ×",
    ):
        assert cell in said


def test_who_fell_behind_is_compared_where_it_still_kept_up() -> None:
    values = next(table.READERS["cameras"](RESULTS["cameras"])).values

    assert values == {"Framepost": 7, "classic": 11, "limit: codecs": 1400}


def test_what_was_not_measured_is_said_and_the_rest_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert table.run(write(tmp_path, {"hooks": RESULTS["hooks"]})) == 0

    said, complaints = capsys.readouterr()
    assert "two hook workers" in said
    assert "python -m benchmarks latency" in complaints


def test_results_of_another_version_are_an_error_that_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert table.run(write(tmp_path, {"hooks": {"rows": {}}})) == 1

    said = capsys.readouterr().err
    assert "hooks.json: expected what hooks writes now, got other results ('ratios')" in said
