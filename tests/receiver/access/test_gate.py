"""What the gate says, who is offered a password box, what ends when a token is taken back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from werkzeug.routing import Map

from receiver.access.gate import Gate
from shared.access.bearers import Bearers
from shared.access.grant import Token
from shared.access.guesses import BURST
from shared.access.refusals import Refusals
from shared.access.tokens import Tokens, digest_of
from tests.receiver.access.conftest import LET_IN, Behind, Visitor
from tests.shared.access.tokens import GRANTED, SECRETS, basic, bearer, grant

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"

MISSING = "token: expected one in the header Authorization, got none"


def counts(refusals: Refusals) -> dict[str, float]:
    """Return how many there were, by reason."""
    (metric,) = refusals.collect()
    return {
        sample.labels["reason"]: sample.value
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.value
    }


@pytest.mark.parametrize(
    ("route", "headers", "status", "detail"),
    [
        (
            "GET /cameras",
            {},
            401,
            MISSING,
        ),
        (
            "GET /cameras",
            bearer("other"),
            401,
            "token: expected one that is known here, got another",
        ),
        (
            *("GET /cameras", {"Authorization": "Bearer a b"}, 401),
            "Authorization: expected 'Bearer TOKEN', or Basic with the token as the password",
        ),
        (
            *("GET /cameras", bearer(SECRETS["door"]), 403),
            "token door: expected the role view, got ingest",
        ),
        (
            *("POST /cameras/yard/frames", bearer(SECRETS["door"]), 403),
            "token door: expected frames of camera door, got yard",
        ),
        (
            *("POST /v2/models/m/infer", bearer(SECRETS["door"]), 403),
            "token door: expected frames of camera door, got a route that names none in its path",
        ),
        (
            *("PUT /cameras/door/control", bearer(SECRETS["both"]), 403),
            "token both: expected the role admin, got ingest and view",
        ),
    ],
)
def test_a_refusal_is_a_problem_of_one_sentence(
    route: str, headers: dict[str, str], status: int, detail: str, visitor: Visitor
) -> None:
    with visitor.ask(route, headers) as response:
        problem = json.loads(response.data)

    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in response.headers
    title = "Token required" if status == 401 else "Not permitted"
    more = {"error": detail} if "/v2" in route else {}
    assert problem == {
        "type": "about:blank", "title": title, "status": status, "detail": detail, **more
    }  # fmt: skip


@pytest.mark.parametrize(
    ("route", "more"),
    [
        ("POST /v1/vision/detection", {"success": False, "error": MISSING, "code": 401}),
        ("POST /v2/models/m/infer", {"error": MISSING}),
        ("GET /cameras", {}),
    ],
)
def test_callers_of_the_doors_find_the_sentence_where_they_look(
    route: str, more: dict[str, Any], visitor: Visitor
) -> None:
    with visitor.ask(route) as response:
        problem = json.loads(response.data)

    own = {"type": "about:blank", "title": "Token required", "status": 401, "detail": MISSING}
    assert problem == own | more


def test_a_refusal_to_head_has_no_body(visitor: Visitor) -> None:
    with visitor.ask("HEAD /cameras") as response:
        assert (response.status_code, response.data) == (401, b"")


@pytest.mark.parametrize(
    ("headers", "is_offered"),
    [
        pytest.param({"Sec-Fetch-Mode": "navigate", "User-Agent": CHROME}, True, id="navigation"),
        pytest.param({"Sec-Fetch-Mode": "cors", "User-Agent": CHROME}, False, id="fetch"),
        pytest.param({"Sec-Fetch-Mode": "no-cors", "User-Agent": CHROME}, False, id="img"),
        # To an address that is neither https nor this machine browsers do not say the mode.
        pytest.param(
            {"User-Agent": CHROME, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"},
            *(True,),
            id="navigation in a plain network",
        ),
        pytest.param({"User-Agent": CHROME, "Accept": "*/*"}, False, id="fetch in a plain network"),
        pytest.param(
            {"User-Agent": CHROME, "Accept": "text/event-stream"}, False, id="EventSource there"
        ),
        pytest.param({"User-Agent": CHROME}, False, id="a browser that does not say what it wants"),
        pytest.param({"User-Agent": "VLC/3.0.24 LibVLC/3.0.24"}, True, id="VLC"),
        pytest.param({"User-Agent": "Lavf/61.1.100", "Accept": "*/*"}, True, id="FFmpeg"),
        pytest.param({"User-Agent": "curl/8.5.0", "Accept": "*/*"}, True, id="curl"),
        pytest.param({}, True, id="nothing said"),
    ],
)
def test_a_password_box_opens_for_who_opens_an_address_and_not_for_what_a_page_fetches(
    headers: dict[str, str], is_offered: bool, visitor: Visitor
) -> None:
    with visitor.ask("GET /cameras/door/stream.mjpg", headers) as response:
        offered = response.headers.getlist("WWW-Authenticate")

    own = 'Bearer realm="Framepost"'
    with_box = ['Basic realm="Framepost", charset="UTF-8"', own]
    assert offered == (with_box if is_offered else [own])


def test_who_may_not_is_asked_for_no_other_token(visitor: Visitor) -> None:
    with visitor.ask("GET /cameras", bearer(SECRETS["ingest"])) as response:
        assert "WWW-Authenticate" not in response.headers


EVIL = {"Origin": "http://evil.example", "User-Agent": CHROME}


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        pytest.param(EVIL, 403, id="another site"),
        pytest.param(EVIL | {"Origin": "null"}, 403, id="a page without a site"),
        pytest.param(EVIL | {"Sec-Fetch-Site": "cross-site"}, 403, id="and it says so"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="another port of this machine"),
        pytest.param({"Sec-Fetch-Site": "same-origin"} | EVIL, LET_IN, id="ours"),
        pytest.param({"Sec-Fetch-Site": "none"} | EVIL, LET_IN, id="no page, but a person"),
        pytest.param(EVIL | {"Origin": "http://localhost"}, LET_IN, id="ours, by its address"),
        pytest.param({"Origin": "http://10.0.0.1"}, LET_IN, id="a program behind the balancer"),
        pytest.param({}, LET_IN, id="a program"),
    ],
)
def test_a_strange_page_cannot_use_the_password_that_a_browser_knows(
    headers: dict[str, str], answer: int, visitor: Visitor
) -> None:
    """Basic goes with whatever a page anywhere makes the browser send; Bearer never does."""
    route, secret = "PUT /cameras/door/control", SECRETS["admin"]

    assert visitor.status(route, basic(secret) | headers) == answer
    assert visitor.status(route, bearer(secret) | headers) == LET_IN
    for harmless in ("GET", "HEAD", "OPTIONS"):
        assert visitor.status(f"{harmless} /cameras", basic(secret) | headers) == LET_IN


def test_a_strange_page_is_told_that_it_is_one(visitor: Visitor) -> None:
    headers = basic(SECRETS["admin"]) | EVIL
    with visitor.ask("PUT /cameras/door/control", headers) as response:
        assert json.loads(response.data)["detail"] == (
            "token admin: expected a page of this receiver to ask for that, got one of another site"
        )


def test_what_is_open_is_for_strangers_but_no_picture_at_the_same_address(
    visitor: Visitor, behind: Behind
) -> None:
    assert visitor.status("GET /healthz") == LET_IN
    assert visitor.status("GET /") == LET_IN
    assert visitor.status("GET /?action=snapshot") == 401
    assert [environ["PATH_INFO"] for environ in behind.environs] == ["/healthz", "/"]


@pytest.mark.parametrize("name", SECRETS)
def test_whoever_has_a_token_learns_what_is_not_there(name: str, visitor: Visitor) -> None:
    assert visitor.status("GET /nothing", bearer(SECRETS[name])) == LET_IN
    assert visitor.status("GET /nothing") == 401


def test_of_cameras_those_that_may_be_are_named_and_of_a_long_name_the_begin(
    routes: Map, behind: Behind, refusals: Refusals
) -> None:
    secret = "two-cameras-0123456789"
    mine = grant("mine", "ingest", cameras=["yard", "door"])
    tokens = Tokens([Token(digest=digest_of(secret), grant=mine)])
    gate = Gate(behind, routes, tokens=tokens, bearers=Bearers(tokens), refusals=refusals)
    visitor = Visitor(gate)

    for camera in ("door", "yard"):
        assert visitor.status(f"POST /cameras/{camera}/frames", bearer(secret)) == LET_IN
    with visitor.ask(f"POST /cameras/{'x' * 100}/frames", bearer(secret)) as response:
        assert json.loads(response.data)["detail"] == (
            f"token mine: expected frames of camera door, yard, got {'x' * 64}"
        )


def test_who_guesses_at_one_address_holds_up_nobody_at_another(gate: Gate) -> None:
    statuses: list[str] = []

    def guess(number: int, **address: str) -> str:
        environ = {"HTTP_AUTHORIZATION": f"Bearer guess-{number:016}"} | address
        base = {"REQUEST_METHOD": "GET", "PATH_INFO": "/cameras", "wsgi.input": io.BytesIO()}
        gate(base | environ, lambda status, *_: statuses.append(status[:3]))  # type: ignore[arg-type]
        return statuses[-1]

    assert [guess(n, REMOTE_ADDR="192.0.2.7") for n in range(BURST + 1)][-2:] == ["401", "429"]
    assert guess(0, REMOTE_ADDR="192.0.2.8") == "401"
    assert guess(0) == "401"


def test_the_body_of_who_is_refused_is_read_and_goes_no_further(
    visitor: Visitor, behind: Behind
) -> None:
    """Who still sends when the connection is closed may never see why it was."""
    body = io.BytesIO(bytes(300_000))

    status = visitor.status(
        "POST /cameras/door/frames", input_stream=body, headers={"Content-Length": "300000"}
    )

    assert (status, body.tell(), behind.environs) == (401, 300_000, [])


class Torn(io.BytesIO):
    """A connection that ends."""

    def read(self, *_: object) -> bytes:
        raise RuntimeError


def test_who_was_read_out_or_went_away_holds_a_thread_no_more(visitor: Visitor) -> None:
    frame = {"headers": {"Content-Length": "3000"}}
    for body in (Torn, io.BytesIO):
        for _ in range(20):
            source = body(bytes(3000))
            with suppress(RuntimeError):
                visitor.status("POST /cameras/door/frames", input_stream=source, **frame)

    assert source.tell() == 3000


def test_strangers_who_send_slowly_hold_few_threads(gate: Gate, visitor: Visitor) -> None:
    leaves = [gate._dismissal._readers.take() for _ in range(16)]  # so many send slowly now
    body = io.BytesIO(bytes(300_000))

    status = visitor.status(
        "POST /cameras/door/frames", input_stream=body, headers={"Content-Length": "300000"}
    )

    assert all(leaves)
    assert gate._dismissal._readers.take() is None
    assert (status, body.tell()) == (401, 0)


def test_refusals_are_counted_by_reason(visitor: Visitor, refusals: Refusals) -> None:
    visitor.status("GET /cameras")
    visitor.status("GET /cameras", {"Authorization": "Bearer"})
    visitor.status("GET /cameras", bearer("wrong-0123456789"))
    visitor.status("GET /cameras", bearer(SECRETS["ingest"]))
    visitor.status("POST /cameras/yard/frames", bearer(SECRETS["door"]))
    visitor.status("PUT /cameras/door/control", basic(SECRETS["admin"]) | EVIL)
    visitor.status("GET /cameras", bearer(SECRETS["view"]))

    assert counts(refusals) == dict.fromkeys(
        ("missing", "malformed", "unknown", "role", "camera", "origin"), 1
    )


def test_a_refusal_is_logged_once_for_an_address_and_without_the_token(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        visitor.status("GET /cameras\n\x1b[2J?token=canary", bearer("canary-0123456789"))
        visitor.status("GET /hooks", basic("canary-0123456789", user="canary"))

    assert caplog.messages == [
        r"access: refused 192.0.2.7: GET '/cameras\n\x1b[2J': "
        "token: expected one that is known here, got another"
    ]


def test_what_was_asked_for_is_told_in_short_and_without_secrets(
    gate: Gate, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.status(f"{'X' * 20} /{'y' * 300}")
    environ = {"REQUEST_METHOD": "PUT", "PATH_INFO": "/rtsp://me:canary@camera/"}
    gate(environ | {"wsgi.input": io.BytesIO()}, lambda *_: None)  # type: ignore[arg-type]

    assert caplog.messages == [
        f"access: refused 192.0.2.7: {'X' * 16} '/{'y' * 199}': {MISSING}",
        f"access: refused an unknown address: PUT '/rtsp://***@camera/': {MISSING}",
    ]


def test_that_players_ask_without_a_password_first_is_not_told(
    visitor: Visitor, refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        visitor.status(f"{method} /cameras/door/stream.mjpg")
    assert (counts(refusals), caplog.messages) == ({"missing": 3}, [])

    visitor.status("POST /cameras/door/frames")
    assert [message.partition(": ")[0] for message in caplog.messages] == ["access"]


def test_who_tries_many_tokens_has_to_wait_and_who_has_one_does_not(
    visitor: Visitor, refusals: Refusals
) -> None:
    good = bearer(SECRETS["ingest"])
    assert visitor.status("POST /cameras/door/frames", good) == LET_IN

    answers = [visitor.status("GET /cameras", bearer(f"guess-{n:016}")) for n in range(BURST + 10)]
    with visitor.ask("GET /cameras", bearer(f"guess-{BURST:016}")) as response:
        wait = response.headers["Retry-After"]

    assert answers == [401] * BURST + [429] * 10
    assert (response.status_code, wait) == (429, "1")
    assert "WWW-Authenticate" not in response.headers
    assert visitor.status("POST /cameras/door/frames", good) == LET_IN
    assert counts(refusals) == {"unknown": BURST, "limited": 11}


class Parts:
    """A reply that goes on for ever."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"part"

    def close(self) -> None:
        self.closed = True


def call(gate: Gate, method: str, path: str, **more: Any) -> Any:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_AUTHORIZATION": f"Bearer {SECRETS['both']}",
        "wsgi.input": io.BytesIO(b"0123456789"),
    }
    return gate(environ | more, lambda status, headers, exc_info=None: lambda data: None)


def test_what_a_viewer_gets_ends_when_the_token_is_taken_back(
    gate: Gate, behind: Behind, tokens: Tokens
) -> None:
    behind.reply = parts = Parts()
    reply = call(gate, "GET", "/cameras/door/stream.mjpg")
    viewer = iter(reply)
    assert next(viewer) == next(viewer) == b"part"

    tokens.replace([])

    assert next(viewer, None) is None
    reply.close()
    assert parts.closed


def test_what_a_sender_streams_ends_when_the_token_is_taken_back(
    gate: Gate, behind: Behind, tokens: Tokens
) -> None:
    call(gate, "POST", "/cameras/door/stream")
    source = behind.environs[0]["wsgi.input"]
    assert source.read(4) == b"0123"

    tokens.replace([])

    assert source.read(4) == b""


def test_who_keeps_a_token_loses_nothing_when_others_are_taken_back(
    gate: Gate, behind: Behind, tokens: Tokens, visitor: Visitor
) -> None:
    behind.reply = Parts()
    viewer = iter(call(gate, "GET", "/cameras/door/stream.mjpg"))
    kept = tokens.grant(tokens.find(SECRETS["both"]) or b"")
    assert kept is not None

    tokens.replace([token for token in GRANTED if token.grant == kept])

    assert next(viewer) == b"part"
    assert visitor.status("GET /cameras", bearer(SECRETS["view"])) == 401


def test_a_reply_that_has_nothing_to_close_ends_as_others_do(gate: Gate, behind: Behind) -> None:
    behind.reply = (b"one", b"two")
    reply = call(gate, "GET", "/cameras/door/stream.mjpg")

    assert list(reply) == [b"one", b"two"]
    reply.close()


def test_a_reply_in_one_piece_stays_one(gate: Gate, behind: Behind) -> None:
    # The server sends a list in one piece.
    reply = call(gate, "POST", "/cameras/door/frames", CONTENT_LENGTH="10")

    assert reply is behind.reply
    assert type(behind.environs[0]["wsgi.input"]) is io.BytesIO
