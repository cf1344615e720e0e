"""Loss: a camera whose packets get lost on the way; of what is posted no picture is another.

A simulated camera, a sender's pipeline and a hub in this process; see tests/survive/pipelines.py.
"""

from __future__ import annotations

from contextlib import ExitStack
from unittest import mock

import numpy as np

from camera.simulated import SimulatedCamera
from sender.rtsp import decoder
from shared import codec, pattern
from shared.errors import FrameError
from tests.survive.pipelines import Arrival, Pipelines
from tests.survive.trial import Figures, Run, Trial

_SIZE = (320, 240)
_FPS = 25
_SHARE = 0.05
#: Pixels of a tile, down and across.
_TILE = (16, 20)
#: So far may a tile's pixels be from what was drawn, of 255 and on average. Through the codecs
#: alone some are 20 away, and those of another picture 100.
_APART = 40.0


def loss(run: Run) -> Figures:
    """Lose 5 % of the packets over UDP; compare each posted picture with what was drawn."""
    figures: Figures = {}
    with ExitStack() as stack:
        if run.disarmed:
            alone = mock.patch.object(decoder.Decoder, "_judge", lambda _, unit: unit.is_damaged)
            stack.enter_context(alone)
        for kind in ("h264",) if run.quick else ("h264", "h265", "mjpeg"):
            seen = _lossy(run, kind, 100 if run.quick else 1500)
            figures |= {f"{kind}_{name}": value for name, value in seen.items()}
    return figures


def _lossy(run: Run, kind: str, frames: int) -> dict[str, int]:
    fps = 2 * _FPS if run.quick else _FPS
    with (
        SimulatedCamera(size=_SIZE, fps=fps, gop=_FPS, codec=kind) as camera,
        Pipelines() as line,
    ):
        line.add("cam1", camera.url, transport="udp")
        line.wait_for_frames("cam1", 5)
        before, first = len(line.frames("cam1")), camera.frames_sent
        camera.corrupt(_SHARE, run.seed, how="lose")
        line.wait_until(
            f"{frames} frames", lambda: camera.frames_sent >= first + frames, max(60, frames)
        )
        sent = camera.frames_sent - first
        camera.resume()
        line.wait_for_frames("cam1", 5, seconds=60)
        status, bugs = line.status("cam1"), line.bugs()
        posted = line.frames("cam1")[before:]
    wrong = sum(not _is_as_drawn(one) for one in posted)
    run.check(not bugs, f"{kind}: a thread died of {bugs}")
    run.check(status["reconnects"] == 0, f"{kind}: reopened though frames flowed: {status}")
    run.check(status["corrupt"] > 0, f"{kind}: no damaged frame was counted of {sent}")
    run.check(not wrong, f"{kind}: {wrong} of {len(posted)} posted pictures are not as drawn")
    return {"sent": sent, "posted": len(posted), "counted_damaged": status["corrupt"]}


def _is_as_drawn(arrival: Arrival) -> bool:
    """Return whether each tile is like that of the picture whose number it bears."""
    try:
        image = codec.decode(arrival.frame.data)
    except FrameError:
        return False
    mark = pattern.read(image)
    if mark is None:
        return False
    drawn = pattern.draw(mark.number, *_SIZE, at=mark.time)
    apart = np.abs(image.astype(np.int16) - drawn).mean(axis=2)
    height, width = _TILE
    tiles = apart.reshape(_SIZE[1] // height, height, _SIZE[0] // width, width).mean(axis=(1, 3))
    return bool(tiles.max() < _APART)


TRIALS = [
    Trial(
        "camera-loss",
        "of a camera over UDP, 5 % of whose packets get lost, no picture is posted in which"
        " something is missing, and frames go on without a new connection",
        loss,
        disarm="a loss counts for that picture only, and not for those that build upon it",
        disarm_quick=True,
    )
]
