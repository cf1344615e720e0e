"""Traces from end to end: real programs, a collector that writes down what it is told."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import requests

from tests.collector import Collector, Seen
from tests.conftest import MakeFrame
from tests.program import ROOT, Program, Receiver

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"


def by_trace(spans: list[Seen]) -> dict[str, dict[str, Seen]]:
    traces: dict[str, dict[str, Seen]] = defaultdict(dict)
    for span in spans:
        traces[span.trace][span.name] = span
    return traces


def whole(spans: list[Seen]) -> list[dict[str, Seen]]:
    """Return the traces of frames that a hook had."""
    names = {"frame", "slot", "encode", "post", "receive", "queue", "decode", "hook"}
    return [trace for trace in by_trace(spans).values() if set(trace) == names]


@pytest.mark.parametrize("transport", ["post", "stream"])
def test_a_frames_way_is_one_trace_over_both_programs(transport: str) -> None:
    with Collector() as collector:
        traced = ("--trace-to", collector.url)
        with Receiver("--hook", "hooks.brightness:process", *traced) as receiver:
            receiver.wait_for("ready")
            with Program(
                "sender",
                *("--source", "testsrc", "--size", "320x240", "--fps", "10"),
                *("--to", receiver.url, "--transport", transport, *traced, "--trace-ratio", "1"),
            ):
                collector.wait_for(lambda spans: len(whole(spans)) >= 5, 30)

    for trace in whole(collector.spans):
        frame, receive, post = trace["frame"], trace["receive"], trace["post"]
        assert frame.parent == ""
        assert {trace[n].parent for n in ("slot", "encode", "post")} == {frame.id}
        assert receive.parent == post.id
        assert {trace[n].parent for n in ("queue", "decode", "hook")} == {receive.id}
        assert frame.service == "framepost-sender"
        assert receive.service == "framepost-receiver"
        for name in ("slot", "encode", "post"):
            assert frame.start - 1e-3 <= trace[name].start <= trace[name].end <= frame.end + 1e-3
        for name in ("queue", "decode", "hook"):
            inside = receive.start - 1e-3 <= trace[name].start <= trace[name].end
            assert inside
            assert trace[name].end <= receive.end + 1e-3
        assert trace["queue"].end == pytest.approx(trace["decode"].start, abs=1e-5)
        assert trace["decode"].end == pytest.approx(trace["hook"].start, abs=1e-5)
        assert post.start - 1e-3 <= receive.start  # one machine, one clock
        for one, outcome in ((frame, "posted"), (receive, "processed")):
            assert one.attributes["framepost.camera"] == "cam1"
            assert one.attributes["framepost.seq"] == frame.attributes["framepost.seq"]
            assert one.attributes["framepost.outcome"] == outcome


def test_a_clients_own_trace_goes_on(make_frame: MakeFrame, tmp_path: Path) -> None:
    (tmp_path / "seen.py").write_text(
        "def process(frame):\n    return {'trace': frame.traceparent}\n", encoding="utf-8"
    )
    with (
        Collector() as collector,
        Receiver(
            *("--hook", "seen:process", "--hook-path", str(tmp_path)),
            *("--trace-to", collector.url, "--trace-ratio", "0"),
        ) as receiver,
    ):
        receiver.wait_for("ready")
        url = f"{receiver.url}/cameras/java/frames"

        def post(seq: int, trace: str | None) -> object:
            headers = {
                "Content-Type": "image/jpeg",
                "Prefer": "wait=10",
                "X-Frame-Epoch": "e",
                "X-Frame-Seq": str(seq),
            }
            if trace is not None:
                headers["traceparent"] = trace
            reply = requests.post(url, make_frame(seq).data, headers=headers, timeout=30)
            assert reply.status_code == 200, reply.text
            return reply.json()["result"]["trace"]

        assert post(1, None) is None
        assert post(2, "nonsense") is None
        assert post(3, GIVEN + "00") == GIVEN + "00"  # passed on, not recorded
        assert post(4, GIVEN + "01") == GIVEN + "01"
        collector.wait_for(lambda spans: any(span.name == "hook" for span in spans))

    seen = {span.name: span for span in collector.spans}
    assert len(collector.spans) == 4
    assert seen["receive"].attributes["framepost.seq"] == 4
    assert seen["receive"].trace == GIVEN[3:35]
    assert seen["receive"].parent == GIVEN[36:52]


def test_a_frame_that_gave_way_says_so(make_frame: MakeFrame) -> None:
    with (
        Collector() as collector,
        Receiver("--trace-to", collector.url, "--trace-ratio", "1") as receiver,
    ):
        for seq in (1, 2):
            requests.post(
                f"{receiver.url}/cameras/a/frames",
                make_frame(seq).data,
                headers={"Content-Type": "image/jpeg", "X-Frame-Seq": str(seq)},
                timeout=10,
            )
        collector.wait_for(lambda spans: spans)

    assert collector.spans[0].name == "receive"
    assert collector.spans[0].attributes["framepost.outcome"] == "superseded"


def test_who_does_not_trace_does_not_load_opentelemetry() -> None:
    code = (
        "import sys, sender.__main__, receiver.__main__\n"
        "sys.exit(any(name.startswith('opentelemetry.exporter') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
