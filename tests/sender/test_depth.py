"""`--depth`: what a sender posts to a receiver that is now and then slower than the cameras."""

from __future__ import annotations

import re
import socket
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from tests.program import Program
from tests.sender.doubles import RawServer, Requests, http_reply

DEPTHS = {"one": 1, "two": 2, "five": 5}
_PATIENCE = 60.0


class HesitantReceiver:
    """Keeps every camera's numbers, and by turns holds a reply until as many frames wait as the
    depth allows, and until there is one more.
    """

    def __init__(self) -> None:
        self.status_url = ""
        self.is_held = threading.Event()
        self._changed = threading.Condition()
        self.seqs: dict[str, list[int]] = {camera: [] for camera in DEPTHS}
        self.server = RawServer(self._serve)

    def status(self) -> dict[str, dict[str, Any]]:
        told = requests.get(f"{self.status_url}/status", timeout=30).json()["cameras"]
        return {each["camera"]: each for each in told}

    def steps(self, camera: str) -> set[int]:
        """Return by how much the camera's number went up from one post to the next."""
        return {after - before for before, after in pairwise(self.seqs[camera])}

    def wait_for_both(self) -> None:
        """Wait until every camera was both in time and too late for its depth."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: all(
                    1 in (steps := self.steps(camera)) and max(steps) > depth
                    for camera, depth in DEPTHS.items()
                ),
                _PATIENCE,
            ), self.seqs

    def _serve(self, connection: socket.socket, _number: int) -> None:
        assert self.is_held.wait(_PATIENCE)
        for count, (line, headers, _) in enumerate(Requests(connection)):
            camera, seq = line.split("/")[2], int(headers["x-frame-seq"])
            more = DEPTHS[camera] + (count + 1) % 2
            while self.status()[camera]["captured"] < seq + 1 + more:
                threading.Event().wait(0.01)
            with self._changed:
                self.seqs[camera].append(seq)
                self._changed.notify_all()
            connection.sendall(http_reply())


def test_frames_go_in_their_order_and_those_that_outgrow_the_depth_give_way_to_the_newest(
    tmp_path: Path,
) -> None:
    config = tmp_path / "cameras.yaml"
    config.write_text(
        "in_flight: 1\ndeadline: 60\nfps: 10\nsize: 160x120\nsource: testsrc\ncameras:\n"
        + "".join(f"  - {{camera: {name}, depth: {depth}}}\n" for name, depth in DEPTHS.items()),
        encoding="utf-8",
    )
    receiver = HesitantReceiver()

    with (
        receiver.server as server,
        Program(
            *("sender", "--config", str(config), "--status-port", "0"),
            *("--to", f"http://127.0.0.1:{server.port}"),
        ) as sender,
    ):
        receiver.status_url = sender.wait_for(r"status on (http://[^ ]+)/status")[1]
        receiver.is_held.set()
        receiver.wait_for_both()
        status = receiver.status()
        sender.stop()

    for camera, depth in DEPTHS.items():
        steps = receiver.steps(camera)
        assert steps <= {1, *range(depth + 1, 100_000)}, (camera, receiver.seqs[camera])
        books = status[camera]
        settled = books["posted"] + books["superseded"] + books["waiting"]
        assert books["captured"] == settled, books
        summary = re.findall(rf"camera {camera}: .*in all (.*)", sender.output)[-1]
        facts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", summary)}
        kinds = ("posted", "superseded", "refused", "failed", "waiting")
        assert facts["captured"] == sum(facts.get(kind, 0) for kind in kinds), summary
