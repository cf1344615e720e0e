"""Raw pixels: bodies without a codec."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from flask.testing import FlaskClient

from receiver.frame import Frame
from receiver.hub import Hub
from receiver.raw import Layout, read_layout
from shared import pattern

ROUTE = "/cameras/cam1/frames"
BGR = pattern.draw(5, 160, 120)


def pixels(layout: str) -> bytes:
    """Return the test pattern in that layout."""
    if layout == "bgr":
        return BGR.tobytes()
    if layout == "rgb":
        return cv2.cvtColor(BGR, cv2.COLOR_BGR2RGB).tobytes()
    if layout == "gray":
        return cv2.cvtColor(BGR, cv2.COLOR_BGR2GRAY).tobytes()
    i420 = cv2.cvtColor(BGR, cv2.COLOR_BGR2YUV_I420)
    if layout == "i420":
        return i420.tobytes()
    flat = i420.reshape(-1)
    luma, chroma = flat[: 160 * 120], flat[160 * 120 :]
    return luma.tobytes() + np.stack(np.split(chroma, 2), axis=1).tobytes()


def content_type(layout: str, size: str = "width=160; height=120") -> str:
    return f"application/x-raw-{layout}; {size}"


@pytest.mark.parametrize("layout", ["bgr", "rgb", "gray", "i420", "nv12"])
def test_raw_pixels_become_the_hooks_image(layout: str, client: FlaskClient, hub: Hub) -> None:
    body = pixels(layout)

    reply = client.post(ROUTE, data=body, content_type=content_type(layout))

    assert reply.status_code == 202, reply.json
    camera = hub.get("cam1")
    assert camera is not None
    taken = camera.pending.take()
    assert taken is not None
    frame = Frame(taken)
    mark = pattern.read(frame.image)
    assert mark is not None
    assert mark.number == 5
    if layout in ("bgr", "rgb"):
        assert np.array_equal(frame.image, BGR)
    assert frame.image.flags.writeable
    assert frame.reduced(2).shape == (60, 80, 3)
    assert frame.jpeg.startswith(b"\xff\xd8")


def test_a_hook_that_draws_in_its_image_changes_nobody_elses(client: FlaskClient, hub: Hub) -> None:
    client.post(ROUTE, data=pixels("bgr"), content_type=content_type("bgr"))
    camera = hub.get("cam1")
    assert camera is not None
    encoded = camera.latest.peek()
    assert encoded is not None

    Frame(encoded).image[:] = 0

    assert np.array_equal(Frame(encoded).image, BGR)


@pytest.mark.parametrize(
    ("kind", "length", "status", "word"),
    [
        (content_type("bgr"), 57599, 422, "expected 57600 bytes of 160x120 bgr, got 57599"),
        (content_type("bgr"), 57601, 422, "got 57601"),
        (content_type("gray"), 57600, 422, "expected 19200 bytes"),
        (content_type("bgra"), 10, 415, "-i420 or -nv12"),
        (content_type("bgr", "width=160"), 10, 400, "height=PIXELS"),
        (content_type("bgr", "width=x; height=120"), 10, 400, "width=PIXELS"),
        (content_type("bgr", "width=-1; height=1"), 10, 400, "width=PIXELS"),
        (content_type("bgr", "width=0; height=1"), 1, 422, "sides from 1"),
        (content_type("i420", "width=161; height=120"), 10, 400, "even width"),
        (content_type("bgr", "width=99999; height=1"), 10, 422, "sides from 1"),
        (content_type("bgr", "width=4000; height=4000"), 10, 422, "pixels"),
    ],
)
def test_raw_pixels_that_do_not_fit_are_refused(
    kind: str, length: int, status: int, word: str, client: FlaskClient
) -> None:
    reply = client.post(ROUTE, data=bytes(length), content_type=kind)

    assert reply.status_code == status
    assert reply.json is not None
    assert word in reply.json["detail"]


def test_the_parameters_of_the_type_may_be_quoted_and_in_any_case(client: FlaskClient) -> None:
    kind = 'Application/X-Raw-Gray;HEIGHT="120";Width=160'

    assert client.post(ROUTE, data=bytes(19200), content_type=kind).status_code == 202


def test_a_layout_says_itself_as_it_is_read() -> None:
    layout = Layout("nv12", 160, 120)

    assert read_layout(layout.content_type) == layout
