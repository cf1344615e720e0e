from __future__ import annotations

import gc
import json
from contextlib import suppress

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from receiver.control import Controls
from receiver.hub import Hub
from receiver.result import Result
from receiver.wish import check_wish, read_wish
from shared import codec, pattern, wire
from shared.control import Control
from shared.errors import FrameError
from tests.conftest import MakeFrame

ROUTE = "/cameras/cam1/control"
JPEG = codec.encode(pattern.draw(5, 160, 120), 80)
WISH = {"fps": 5.0, "size": "640x360", "quality": 70}


def post(client: FlaskClient, body: bytes = JPEG) -> str | None:
    return client.post("/cameras/cam1/frames", data=body).headers.get(wire.CONTROL)


def test_a_wish_goes_out_with_every_reply_until_it_is_taken_back(client: FlaskClient) -> None:
    seen = [post(client)]
    assert client.put(ROUTE, json=WISH).status_code == 200
    seen += [post(client), post(client, b"no picture")]
    client.put(ROUTE, json={"quality": 50})
    seen.append(post(client))
    client.delete(ROUTE)
    seen.append(post(client))

    whole = "fps=5; size=640x360; quality=70"
    assert seen == [None, whole, whole, "quality=50", None]


def test_the_classic_route_tells_it_too(client: FlaskClient) -> None:
    client.put("/cameras/default/control", json={"fps": 2})

    answer = client.post("/image_post", data={"img": ""})

    assert answer.headers[wire.CONTROL] == "fps=2"


def test_a_wish_can_be_looked_at(client: FlaskClient) -> None:
    assert client.get(ROUTE).status_code == 404
    put = client.put(ROUTE, json=WISH).json

    assert put == {"wish": WISH, "automatic": None, "in_force": WISH}
    assert client.get(ROUTE).json == put
    post(client)
    assert client.get(ROUTE).json == put
    nothing = {"wish": None, "automatic": None, "in_force": None}
    assert client.delete(ROUTE).json == nothing
    assert client.get(ROUTE).json == nothing


def test_taking_nothing_back_is_no_error(client: FlaskClient) -> None:
    assert client.delete(ROUTE).status_code == 200


def test_a_wish_of_nulls_takes_the_one_before_back(client: FlaskClient) -> None:
    client.put(ROUTE, json=WISH)

    answer = client.put(ROUTE, json={"fps": None, "size": None})

    assert (answer.status_code, (answer.json or {})["wish"]) == (200, None)
    assert client.put("/cameras/other/control", json={"fps": None}).status_code == 200
    assert post(client) is None


def test_one_camera_s_wish_is_no_other_s(client: FlaskClient) -> None:
    client.put("/cameras/other/control", json=WISH)

    assert post(client) is None


def test_curl_s_own_content_type_will_do(client: FlaskClient) -> None:
    answer = client.put(
        ROUTE, data='{"fps": 0.5}', content_type="application/x-www-form-urlencoded"
    )

    assert (answer.json or {})["in_force"] == {"fps": 0.5}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "body: expected JSON"),
        ("fps=5", "body: expected JSON"),
        ("[5]", "body: expected JSON"),
        ("[" * 4000, "body: expected JSON"),
        ('{"fps": 5', "body: expected JSON"),
        ("{}", "control: expected fps, size or quality; DELETE takes the wish back"),
        ('{"rate": 5}', 'control: expected fps, size and quality; got "rate"'),
        ('{"fps": 0}', "fps: expected frames a second from 0.01 to 1000; got 0"),
        ('{"fps": -3}', "fps: expected"),
        ('{"fps": NaN}', "fps: expected"),
        ('{"fps": 1e999}', "fps: expected"),
        ('{"fps": "5"}', "fps: expected"),
        ('{"fps": true}', "fps: expected"),
        ('{"size": "640"}', 'size: expected "WIDTHxHEIGHT", each from 2 to 16384'),
        ('{"size": "1x360"}', "size: expected"),
        ('{"size": [640, 360]}', "size: expected"),
        ('{"quality": 0}', "quality: expected a whole number from 1 to 100; got 0"),
        ('{"quality": 70.5}', "quality: expected"),
        ('{"quality": 101}', "quality: expected"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_a_sentence(
    client: FlaskClient, body: str, sentence: str
) -> None:
    answer = client.put(ROUTE, data=body)

    assert answer.status_code == 400
    assert sentence in (answer.json or {})["detail"]
    assert client.get(ROUTE).status_code == 404


def test_a_huge_body_is_not_read(client: FlaskClient) -> None:
    assert client.put(ROUTE, data=b" " * 5000 + b'{"fps": 5}').status_code == 413


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_name_that_can_be_no_camera_s_is_refused(client: FlaskClient, method: str) -> None:
    answer = getattr(client, method)("/cameras/-x/control", data='{"fps": 5}')

    assert answer.status_code == 400
    assert "camera: expected" in (answer.json or {})["detail"]


def test_there_are_no_more_wishes_than_cameras(client: FlaskClient) -> None:
    for number in range(4):
        assert client.put(f"/cameras/c{number}/control", json=WISH).status_code == 200

    refused = client.put("/cameras/c4/control", json=WISH)
    assert refused.status_code == 429
    assert "at most 4 cameras" in (refused.json or {})["detail"]
    assert client.put("/cameras/c3/control", json={"fps": 1}).status_code == 200
    client.delete("/cameras/c0/control")
    assert client.put("/cameras/c4/control", json=WISH).status_code == 200


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.floats(0, 1000) | st.text(), st.lists)
)
def test_a_value_is_understood_by_senders_or_refused(value: object) -> None:
    for name in ("fps", "size", "quality"):
        with suppress(FrameError):
            wish = check_wish({name: value})
            assert (Control.parse(str(wish)) or Control()) == wish


@given(st.binary())
def test_no_body_does_more_than_be_refused(body: bytes) -> None:
    with suppress(FrameError):
        read_wish(body)


class Slow:
    """A hub whose camera's hook is far too slow, on a clock set by hand."""

    def __init__(self, make_frame: MakeFrame, *, automatic: bool = True) -> None:
        self.now = 1000.0
        self.hub = Hub(clock=lambda: self.now)
        self.controls = Controls(self.hub, automatic=automatic, clock=lambda: self.now)
        self._make_frame = make_frame
        self._seq = 0

    def run(self) -> Control | None:
        """Let 25 frames a second come for 12 s, of which every tenth is processed."""
        for _ in range(300):
            self.now += 0.04
            self._seq += 1
            self.hub.publish(self._make_frame(self._seq))
            if self._seq % 10 == 0:
                self._process()
            wish = self.controls.wish("cam1")
        return wish

    def _process(self) -> None:
        camera = self.hub.get("cam1")
        assert camera is not None
        frame = camera.pending.take()
        assert frame is not None
        camera.finish(
            Result(frame=frame, picture=frame, state="processed", queue=0, decode=0, hook=0)
        )


def test_a_slow_hook_makes_a_wish_by_itself(make_frame: MakeFrame) -> None:
    slow = Slow(make_frame)

    assert slow.run() == Control(fps=10)
    assert slow.controls.header("cam1") == "fps=10"
    assert slow.controls.facts("cam1") == {
        "wish": None,
        "automatic": {"fps": 10},
        "in_force": {"fps": 10},
    }


def test_a_person_s_rate_goes_before_the_receiver_s(make_frame: MakeFrame) -> None:
    slow = Slow(make_frame)
    slow.run()
    slow.controls.put("cam1", Control(quality=50))
    seen = [slow.controls.header("cam1")]
    slow.controls.put("cam1", Control(fps=20))
    seen.append(slow.controls.header("cam1"))

    assert seen == ["fps=10; quality=50", "fps=20"]


def test_the_receiver_can_be_told_to_wish_nothing_by_itself(make_frame: MakeFrame) -> None:
    assert Slow(make_frame, automatic=False).run() is None


def test_what_was_found_out_goes_with_the_camera(make_frame: MakeFrame) -> None:
    slow = Slow(make_frame)
    slow.run()
    slow.hub = Hub()
    slow.controls._hub = slow.hub
    gc.collect()

    assert len(slow.controls._governors) == 0


def test_a_camera_that_was_asked_to_be_slow_is_not_stale(make_frame: MakeFrame) -> None:
    slow = Slow(make_frame)
    slow.hub.publish(make_frame())
    camera = slow.hub.get("cam1")
    assert camera is not None
    slow.controls.put("cam1", Control(fps=0.1))
    slow.controls.wish("cam1")
    states = []
    for _ in range(2):
        slow.now += 11
        states.append(camera.state())
    slow.controls.delete("cam1")
    slow.controls.wish("cam1")

    assert [*states, camera.state()] == ["live", "stale", "stale"]


def test_a_rate_has_the_decimals_that_the_header_has() -> None:
    wish = check_wish({"fps": 30000 / 1001})

    assert wish.fps == 29.97
    assert Control.parse(str(wish)) == wish


def test_the_wish_s_numbers_stay_as_they_were_put() -> None:
    assert json.dumps(check_wish({"fps": 12, "quality": 70.0}).facts()) == (
        '{"fps": 12.0, "quality": 70}'
    )
