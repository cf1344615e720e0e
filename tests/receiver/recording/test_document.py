"""What docs/recording.md says of the lines is what is written; its commands run in test_docs."""

from __future__ import annotations

from pathlib import Path

from receiver.recording.tally import REASONS
from tests.conftest import MakeFrame
from tests.program import ROOT
from tests.receiver.recording.conftest import MakeRecorder, lines, result_of

TEXT = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")


def test_every_kind_of_line_is_told_of(
    make_recorder: MakeRecorder, make_frame: MakeFrame, tmp_path: Path
) -> None:
    recorder = make_recorder()
    recorder.received(make_frame(1))
    recorder.finished(result_of(make_frame(1)))
    recorder.ask("cam1", 1)
    recorder.work()
    recorder.close()
    (log,) = tmp_path.glob("*/*.jsonl")
    kinds = [next(iter(line)) for line in lines(log)]

    assert sorted(kinds) == ["end", "event", "frame", "recording", "result"]
    for kind in kinds:
        assert f'| `{{"{kind}": ' in TEXT
    for line in lines(log):
        if "frame" in line:
            assert all(name in TEXT for name in line["frame"])


def test_every_reason_for_a_loss_is_told_of() -> None:
    for reason in REASONS:
        assert f"`{reason}`" in TEXT or f'"{reason}"' in TEXT
