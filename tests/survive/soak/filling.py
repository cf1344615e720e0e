"""Filling: what a receiver comes to hold after a while, brought about at once."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests

from shared import codec, pattern, wire
from shared.frame import EncodedFrame
from tests.survive.soak.programs import FILLERS

#: Results that the receiver keeps for readers of /events.
_JOURNAL = 10_000
#: Requests that wait for a receiver which stood still for so long that its senders asked again.
_CROWD = 64
#: Seconds for the slowest of them on a busy machine.
_PATIENCE = 120


def crowd(url: str) -> None:
    """Let so many be there at once as after a standstill: the server keeps a thread for each.

    At the rate of a few cameras it gives tasks to its threads by turns, so that none has nothing to
    do for long. At a higher one few have all of them, and the others end.
    """
    together = threading.Barrier(_CROWD)
    with ThreadPoolExecutor(_CROWD) as pool:
        for done in [pool.submit(_view, url, together) for _ in range(_CROWD)]:
            done.result()


def _view(url: str, together: threading.Barrier) -> None:
    stream = f"{url}/cameras/cam1/stream.mjpg"
    with requests.get(stream, stream=True, timeout=_PATIENCE) as answer:
        answer.raise_for_status()
        next(answer.iter_content(1000))
        together.wait(_PATIENCE)


def fill(url: str) -> None:
    """Let so many results come that the receiver's journal is full, as after a while it is.

    In the form in which the sender's come, and as heavy: what replaces them takes no more room.
    """
    picture = codec.encode(pattern.draw(0, 160, 120), 50)
    with ThreadPoolExecutor(len(FILLERS)) as pool:
        list(pool.map(partial(_fill, url, picture), FILLERS))


def _fill(url: str, picture: bytes, camera: str) -> None:
    epoch = secrets.token_hex(8)
    with requests.Session() as session:
        for seq in range(_JOURNAL // len(FILLERS)):
            frame = EncodedFrame(
                camera=camera,
                epoch=epoch,
                seq=seq,
                captured_at=time.time(),
                data=picture,
                width=160,
                height=120,
            )
            answer = session.post(
                f"{url}/cameras/{camera}/frames?mode=every",
                picture,
                headers=wire.to_headers(frame) | {"Prefer": f"wait={_PATIENCE / 2:g}"},
                timeout=_PATIENCE,
            )
            answer.raise_for_status()
