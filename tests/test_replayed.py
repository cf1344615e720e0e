"""A recording that is sent again arrives as it was: bytes, numbers, and the times between them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.program import Program, Receiver
from tests.recordings import make_frames, write_recording

#: Tells of every frame that it gets.
HOOK = """
import hashlib, json, os
def tell(frame):
    facts = [frame.epoch, frame.seq, frame.captured_at, hashlib.sha256(frame.jpeg).hexdigest()]
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps(facts) + "\\n")
"""


def test_a_recording_that_is_sent_twice_arrives_twice_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "telling.py").write_text(HOOK)
    told = tmp_path / "told.jsonl"
    frames = make_frames(12, epoch="5f0c21d4", first=30, fps=5)
    del frames[4:6]  # lost before they were recorded
    film = write_recording(tmp_path, frames).film
    receiver = Receiver(
        *("--hook", "telling:tell", "--hook-path", str(tmp_path)), env={"TOLD": str(told)}
    )
    with receiver:
        receiver.wait_for("is ready")
        for _ in range(2):
            with Program(
                *("sender", "--source", str(film), "--to", receiver.url, "--camera", "again")
            ) as sender:
                assert sender.wait(seconds=30) == 0

    found = [json.loads(line) for line in told.read_text().splitlines()]
    epochs = list(dict.fromkeys(epoch for epoch, *_ in found))
    assert len(epochs) == 2
    assert all(epoch.startswith("5f0c21d4~") for epoch in epochs)
    known = {f.seq: (f.captured_at, hashlib.sha256(f.data).hexdigest()) for f in frames}
    for epoch in epochs:
        came = [(seq, at, digest) for each, seq, at, digest in found if each == epoch]
        # A busy machine may have lost some of them on the way: newest wins.
        assert len(came) >= 3
        assert {seq: digest for seq, _, digest in came} == {seq: known[seq][1] for seq, *_ in came}
        shift = came[0][1] - known[came[0][0]][0]
        assert [at - shift for _, at, _ in came] == pytest.approx(
            [known[seq][0] for seq, *_ in came], abs=0.002
        )
