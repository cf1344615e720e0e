"""Broken pictures: cut off or damaged, none is taken for whole, and none shows another camera's."""

from __future__ import annotations

import base64
import hashlib
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import requests

from receiver import formats
from shared import codec, pattern
from shared.codec import Image
from shared.errors import FrameError
from tests.program import Receiver
from tests.survive.receivers import receiver
from tests.survive.trial import Figures, Run, Trial

_TYPE = {"Content-Type": "image/jpeg"}
_SIZE = (480, 640)
#: No picture of the other camera is anything like it.
_PRIVATE = (200, 30, 250)
_HOOK = """
def process(frame):
    like = abs(frame.image.astype(int) - (200, 30, 250)).max(2) < 20
    return {"rows": int((like.mean(1) > 0.5).sum())}, frame.image
"""


def truncated(run: Run) -> Figures:
    """Cut a small JPEG at each byte, a large one at seeded places; post what is left."""
    small = codec.encode(pattern.draw(1, 160, 120), 80)
    large = codec.encode(_noise(run, 1080, 1920), 80)
    points = sorted(run.random.sample(range(len(large)), 20 if run.quick else 200))
    whole = requests.Session()
    with whole, receiver(run, "no-end-of-pictures") as served:
        url = f"{served.url}/cameras/cut/frames"
        for at in range(len(small)):
            if not run.disarmed:
                run.check(not _is_taken(small[:at]), f"{at} bytes of {len(small)} were taken")
            if not run.quick or at % 50 == 0:
                _expect(run, whole.post(url, small[:at], headers=_TYPE, timeout=60), at, small)
        for at in points:
            _expect(run, whole.post(url, large[:at], headers=_TYPE, timeout=60), at, large)
        known = whole.get(f"{served.url}/cameras/cut", timeout=60).status_code
        run.check(known == 404, f"the camera is known: {known}")
    return {"small_cuts": len(small), "large_cuts": len(points), "large_bytes": len(large)}


def leak(run: Run) -> Figures:
    """By turns, a private picture of one camera and a damaged one of another; look at the latter's.

    What is damaged passes for whole where only its structure is looked at.
    """
    private = np.full((*_SIZE, 3), _PRIVATE, np.uint8)
    rounds = 12 if run.quick else 1000
    damaged = list(_damaged(run))
    private_as = [codec.encode(private, 90), _encoded(".png", private), _encoded(".webp", private)]
    (run.folder / "leaking.py").write_text(_HOOK, encoding="utf-8")
    shown = refused = 0
    arguments = ["--hook", "leaking", "--hook-path", str(run.folder)]
    with requests.Session() as client, receiver(run, "kept-pixels", *arguments) as served:
        served.wait_for("is ready")
        for number in range(rounds):
            name, damage = damaged[number % len(damaged)]
            _see_private(client, served, private_as[number % 3])
            reply = client.post(
                f"{served.url}/cameras/other/frames",
                damage(run.random),
                headers={**_TYPE, "Prefer": "wait=30"},
                timeout=60,
            )
            run.check(reply.status_code < 500 or reply.json()["state"] == "failed", reply.text)
            refused += reply.status_code >= 400
            if reply.status_code == 200:
                rows = reply.json()["result"]["rows"]
                run.check(rows == 0, f"round {number}, {name}: the hook saw {rows} rows of it")
            for query in ("", "?width=160", "?quality=70", "?view=annotated"):
                view = client.get(f"{served.url}/cameras/other/frame.jpg{query}", timeout=60)
                if view.status_code == 200:
                    shown += 1
                    rows = _rows_of_private(view.content)
                    run.check(
                        rows == 0, f"round {number}, {name}, {query}: {rows} rows of the other's"
                    )
    return {"rounds": rounds, "refused_or_failed": refused, "views": shown}


def flipped(run: Run) -> Figures:
    """Flip one bit of a JPEG, and say the digest of the whole one."""
    picture = codec.encode(pattern.draw(3, 640, 360), 80)
    digest = base64.b64encode(hashlib.sha256(picture).digest()).decode()
    flips = 30 if run.quick else 500
    headers = {**_TYPE, "Content-Digest": f"sha-256=:{digest}:"}
    with requests.Session() as client, receiver(run, "no-digest") as served:
        url = f"{served.url}/cameras/flip/frames"
        for _ in range(flips):
            bit = run.random.randrange(8 * len(picture))
            status = client.post(url, _flip(picture, bit), headers=headers, timeout=60).status_code
            run.check(status == 422, f"bit {bit} of {8 * len(picture)}: {status}, expected 422")
        status = client.post(url, picture, headers=headers, timeout=60).status_code
        run.check(status == 202, f"the whole one was answered {status}")
    return {"flips": flips}


def _is_taken(data: bytes) -> bool:
    try:
        formats.inspect(data)
    except FrameError:
        return False
    return True


def _expect(run: Run, reply: requests.Response, at: int, whole: bytes) -> None:
    # Of its first two bytes nobody knows that they are a JPEG's.
    right = (415, 422) if at < 3 else (422,)
    run.check(
        reply.status_code in right, f"{at} bytes of {len(whole)}: {reply.status_code}, not 422"
    )


def _see_private(client: requests.Session, served: Receiver, picture: bytes) -> None:
    """Have the hook and a viewer decode it, so that its pixels lie about in both processes."""
    url = f"{served.url}/cameras/private"
    headers = {**_TYPE, "Prefer": "wait=30"}
    assert client.post(f"{url}/frames", picture, headers=headers, timeout=60).status_code == 200
    for query in ("?width=160", "?quality=70"):
        assert client.get(f"{url}/frame.jpg{query}", timeout=60).status_code == 200


def _rows_of_private(data: bytes) -> int:
    """Return how many rows are the private picture's, for more than a half."""
    try:
        image = codec.decode(data)
    except FrameError:  # as it came, and as broken
        return 0
    like = np.abs(image.astype(int) - _PRIVATE).max(2) < 20
    # Damage makes pixels of any colour, here and there.
    return int((like.mean(1) > 0.5).sum())


def _damaged(run: Run) -> list[tuple[str, Callable[[random.Random], bytes]]]:
    dark = _noise(run, *_SIZE) // 4
    jpeg, webp = codec.encode(dark, 90), _encoded(".webp", dark)
    plain = _encoded(".png", dark)
    begin = plain.index(b"IDAT") - 4
    scan = jpeg.index(b"\xff\xda") + 14

    def cut_jpeg(chance: random.Random) -> bytes:
        return jpeg[: chance.randrange(scan, len(jpeg))].rstrip(b"\xff") + b"\xff\xd9"

    def hole_in_jpeg(chance: random.Random) -> bytes:
        at = chance.randrange(scan, len(jpeg) - 2000)
        return jpeg[:at].rstrip(b"\xff") + jpeg[at + 1000 :].lstrip(b"\xff")

    def cut_png(chance: random.Random) -> bytes:
        pixels = plain[begin + 8 : chance.randrange(begin + 100, len(plain))]
        check = struct.pack(">I", zlib.crc32(b"IDAT" + pixels))
        head = plain[:begin] + struct.pack(">I", len(pixels)) + b"IDAT"
        return head + pixels + check + plain[-12:]

    def cut_webp(chance: random.Random) -> bytes:
        data = webp[20 : 2 * chance.randrange(50, len(webp) // 2)]
        chunk = webp[8:16] + struct.pack("<I", len(data)) + data
        return b"RIFF" + struct.pack("<I", len(chunk)) + chunk

    def flip_webp(chance: random.Random) -> bytes:
        return _flip(webp, chance.randrange(8 * 100, 8 * len(webp)))

    def flip_jpeg(chance: random.Random) -> bytes:
        return _flip(jpeg, chance.randrange(8 * scan, 8 * len(jpeg) - 16))

    return [
        (damage.__name__, damage)
        for damage in (cut_jpeg, hole_in_jpeg, cut_png, cut_webp, flip_webp, flip_jpeg)
    ]


def _flip(data: bytes, bit: int) -> bytes:
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def _noise(run: Run, height: int, width: int) -> Image:
    chance = np.random.default_rng(run.seed)
    small = chance.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def _encoded(extension: str, image: Any) -> bytes:
    done, data = cv2.imencode(extension, image)
    assert done
    return data.tobytes()


TRIALS = [
    Trial(
        "truncated-pictures",
        "of a JPEG that is cut off at any byte, and of a 1080p one at 200 places, nothing is taken",
        truncated,
        disarm="the look for a JPEG's end",
    ),
    Trial(
        "leaks",
        "in 1,000 rounds no row of one camera's picture shows in what a hook or a viewer gets of"
        " another camera's damaged one",
        leak,
        disarm="the refusal of what does not decode: what the memory holds is shown instead",
    ),
    Trial(
        "flipped-bits",
        "each of 500 pictures with a bit flipped is 422 where the digest was sent along",
        flipped,
        disarm="the check of the digest",
    ),
]
