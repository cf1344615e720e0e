"""What the contestants' figures are held against: that it measures what it says."""

from __future__ import annotations

from benchmarks.measuring.codec_bound import CodecBound
from benchmarks.measuring.codec_chain import CodecChain


def test_the_codec_bound_is_the_slower_half_and_both_halves_cost() -> None:
    turn = CodecBound("limit", ["--size=320x240"]).run(0.2)

    assert turn.frames > 0
    assert turn.seconds == 0.2
    assert set(turn.cpu) == {"encode", "decode"}
    assert all(spent > 0 for spent in turn.cpu.values())


def test_the_codec_chain_takes_frames_at_the_cameras_pace() -> None:
    turn = CodecChain("limit", None, 320, 240, fps=100.0).run(0.3)

    assert 0 < turn.frames <= 30
    assert len(turn.latencies) == turn.frames
    assert all(0 < latency < 0.3 for latency in turn.latencies)
    assert turn.cpu["codecs"] > 0
