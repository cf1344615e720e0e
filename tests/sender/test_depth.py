"""`--depth`: what a sender posts to a receiver that is now and then slower than the cameras."""

from __future__ import annotations

import re
import socket
import threading
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import requests

from tests.program import Program
from tests.sender.doubles import RawServer, Requests, http_reply

DEPTHS = {"one": 1, "two": 2, "five": 5}
_PATIENCE = 60.0


class HesitantReceiver:
    """Keeps every camera's numbers, and by turns holds a reply until as many frames wait as the
    depth allows, or one more; the next one comes at once.
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

    def steps(self, camera: str) -> list[int]:
        """Return by how much the camera's number went up from one post to the next."""
        return [after - before for before, after in pairwise(self.seqs[camera])]

    def wait_for_both(self) -> None:
        """Wait until every camera left frames out, and those with more room went back for some."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: all(
                    max(steps := [0, *self.steps(camera)]) > depth
                    and (depth == 1 or min(steps) < 0)
                    for camera, depth in DEPTHS.items()
                ),
                _PATIENCE,
            ), self.seqs

    def _serve(self, connection: socket.socket, _number: int) -> None:
        assert self.is_held.wait(_PATIENCE)
        for count, (line, headers, _) in enumerate(Requests(connection)):
            camera, seq = line.split("/")[2], int(headers["x-frame-seq"])
            depth = DEPTHS[camera]
            more = (depth, 0, depth + 1, 0)[count % 4]
            while self.status()[camera]["captured"] < seq + 1 + more:
                threading.Event().wait(0.01)
            with self._changed:
                self.seqs[camera].append(seq)
                self._changed.notify_all()
            connection.sendall(http_reply())


def test_the_newest_frame_goes_first_and_then_what_the_depth_still_holds(
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
        seqs = receiver.seqs[camera]
        assert len(set(seqs)) == len(seqs), (camera, seqs)
        for seq, newest in zip(seqs, accumulate(seqs, max), strict=True):
            assert seq > newest - depth, (camera, seqs)
        books = status[camera]
        settled = books["posted"] + books["superseded"] + books["waiting"]
        assert books["captured"] == settled, books
        summary = re.findall(rf"camera {camera}: .*in all (.*)", sender.output)[-1]
        facts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", summary)}
        kinds = ("posted", "superseded", "refused", "failed", "waiting")
        assert facts["captured"] == sum(facts.get(kind, 0) for kind in kinds), summary
