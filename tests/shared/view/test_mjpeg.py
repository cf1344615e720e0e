from __future__ import annotations

import pytest

from shared.view.mjpeg import Multipart, shows_late
from shared.view.renditions import Rendition
from tests.conftest import MakeFrame

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


def test_a_part_says_its_length_and_the_delimiter_follows_at_once(make_frame: MakeFrame) -> None:
    frame = make_frame(7, captured_at=1700000000.25)
    body = Multipart()
    shown = Rendition(frame, frame.data, 160, 120)

    first, second = body.part(shown), body.part(shown)

    headers = (
        "Content-Type: image/jpeg\r\n"
        f"Content-Length: {len(frame.data)}\r\n"
        "X-Timestamp: 1700000000.250000\r\n"
        "X-Frame-Seq: 7\r\n\r\n"
    ).encode()
    assert first == b"--framepost\r\n" + headers + frame.data + b"\r\n--framepost\r\n"
    assert second == headers + frame.data + b"\r\n--framepost\r\n"


def test_ahead_the_next_part_has_begun_when_a_picture_ends(make_frame: MakeFrame) -> None:
    frame = make_frame()
    body = Multipart(ahead=True)
    shown = Rendition(frame, frame.data, 160, 120)
    opening = b"--framepost\r\nContent-Type: image/jpeg\r\n\r\n"

    assert body.part(shown) == opening + frame.data + b"\r\n" + opening
    assert body.part(shown) == frame.data + b"\r\n" + opening


def test_viewers_of_one_picture_share_its_bytes(make_frame: MakeFrame) -> None:
    frame = make_frame()
    shown = Rendition(frame, frame.data, 160, 120)
    one, another, chrome = Multipart(), Multipart(), Multipart(ahead=True)
    for body in (one, another, chrome):
        body.part(shown)

    assert one.part(shown) is another.part(shown)
    assert chrome.part(shown) != one.part(shown)


@pytest.mark.parametrize(
    ("agent", "accept", "late"),
    [(CHROME, IMG, True), (CHROME, "*/*", False), (FIREFOX, IMG, False), ("Lavf/61", "*/*", False)],
)
def test_only_a_picture_in_chrome_is_shown_late(agent: str, accept: str, late: bool) -> None:
    assert shows_late(agent, accept) is late
