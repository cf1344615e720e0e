"""Every route of the receiver and everything that may come for a token: who is let in, a table."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from werkzeug.routing import Map

from receiver.access.needs import Need, Needs, level_of, unclassified
from tests.receiver.access.conftest import LET_IN, Visitor
from tests.shared.access.tokens import SECRETS, basic, bearer

#: Everybody.
OPEN = ("/", "/static/style.css", "/healthz", "/readyz", "/openapi.yaml", "/access")
EXPECTED = {
    **{f"GET {path}": "open" for path in OPEN},
    "POST /cameras/door/frames": "ingest",
    "POST /cameras/door/stream": "ingest",
    "POST /image_post": "ingest",
    "GET /cameras": "view",
    "GET /cameras/door": "view",
    "GET /cameras/door/result": "view",
    "GET /cameras/door/frame.jpg": "view",
    "GET /cameras/door/stream.mjpg": "view",
    "GET /cameras/door/control": "view",
    "GET /history": "view",
    "GET /live": "view",
    "GET /video_feed": "view",
    "GET /events": "view",
    "GET /hooks": "view",
    "GET /hooks/log": "view",
    "POST /hooks/reload": "admin",
    "GET /webhooks": "view",
    "GET /metrics": "view",
    "GET /recordings": "view",
    "GET /recordings/door/20261121T140501.123Z.mkv": "view",
    "GET /recordings/door/20261121T140501.123Z.jsonl": "view",
    "GET /recordings/door/20261121T140501.123Z/play": "view",
    "DELETE /recordings/door/20261121T140501.123Z": "admin",
    "POST /cameras/door/record": "admin",
    "PUT /cameras/door/control": "admin",
    "DELETE /cameras/door/control": "admin",
}
#: What stands for the parts of a path.
FILLED = {"camera": "door", "name": "door", "filename": "style.css", "version": "1", "rest": "x"}
FILLED |= {"start": "20261121T140501.123Z"}

NOTHING = 401
NOT_THAT = 403
#: Which answer each bearer gets: on routes that are open, for ingest, for view, for admin.
ANSWERS = {
    "ingest": (LET_IN, LET_IN, NOT_THAT, NOT_THAT),
    "view": (LET_IN, NOT_THAT, LET_IN, NOT_THAT),
    "both": (LET_IN, LET_IN, LET_IN, NOT_THAT),
    "admin": (LET_IN, LET_IN, LET_IN, LET_IN),
}
STRANGER = (LET_IN, NOTHING, NOTHING, NOTHING)
#: Headers that let nobody in.
BROKEN = {
    "none": {},
    "wrong": bearer("wrong-0123456789"),
    "wrong password": basic("wrong-0123456789"),
    "part of one": bearer(SECRETS["admin"][:-1]),
    "more than one": bearer(SECRETS["admin"] + "0"),
    "in capitals": bearer(SECRETS["admin"].upper()),
    "as the user": basic("", user=SECRETS["admin"]),
    "bare": {"Authorization": SECRETS["admin"]},
    "no token": {"Authorization": "Bearer"},
    "empty": {"Authorization": "Bearer "},
    "nothing": {"Authorization": ""},
    "not ASCII": {"Authorization": "Bearer пароль-0123456789".encode().decode("latin-1")},
    "not ASCII, right but for that": bearer(SECRETS["admin"] + "\xe9"),
    "8 kB": bearer("x" * 8192),
    "8 kB, the right one first": bearer(SECRETS["admin"] + "," * 8192),
    # So a server hands on a header that came twice.
    "twice": {"Authorization": ",".join([f"Bearer {SECRETS['admin']}"] * 2)},
    "the right one first": {"Authorization": f"Bearer {SECRETS['admin']},Bearer wrong-0123456789"},
    "two": {"Authorization": f"Bearer wrong-0123456789, Bearer {SECRETS['admin']}"},
    "digest": {"Authorization": f'Digest response="{SECRETS["admin"]}"'},
    "no base64": {"Authorization": f"Basic {SECRETS['admin']}"},
    "cookie": {"Cookie": f"token={SECRETS['admin']}", "X-Token": SECRETS["admin"]},
}
LEVELS = ("open", "ingest", "view", "admin")
#: Ways to bring a token that counts.
SPELLINGS: dict[str, Callable[[str], dict[str, str]]] = {
    "bearer": bearer,
    "basic": basic,
    "lower case": lambda secret: {"Authorization": f"bearer {secret}"},
    "capitals": lambda secret: {"Authorization": f"BEARER  {secret} "},
    "basic, lower case": lambda secret: {
        "Authorization": basic(secret)["Authorization"].replace("Basic", "basic")
    },
}


def served(routes: Map) -> dict[str, str]:
    """Return every request that leads somewhere, and its endpoint."""
    return {
        f"{method} {re.sub(r'<(?:[^:>]+:)?([^>]+)>', lambda m: FILLED[m[1]], rule.rule)}": (
            rule.endpoint
        )
        for rule in routes.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS"}
    }


def expected(route: str, endpoint: str) -> str:
    """Return the level of a route; a new one fails here until the table says who it is for."""
    method, path = route.split()
    if path.startswith(("/v1", "/v2")):
        return "ingest"
    level = EXPECTED.get(f"{'GET' if method == 'HEAD' else method} {path}")
    assert level is not None, f"{route}: write into EXPECTED who it is for"
    assert level == level_of(endpoint), route
    return level


def test_the_table_is_of_routes_that_there_are(routes: Map) -> None:
    assert EXPECTED.keys() <= served(routes).keys()


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_opens_what_its_role_is_for(
    name: str, spelling: str, routes: Map, visitor: Visitor
) -> None:
    headers = SPELLINGS[spelling](SECRETS[name])
    for route, endpoint in served(routes).items():
        answer = ANSWERS[name][LEVELS.index(expected(route, endpoint))]
        assert visitor.status(route, headers) == answer, route


@pytest.mark.parametrize("kind", BROKEN)
def test_nothing_else_opens_anything(kind: str, routes: Map, visitor: Visitor) -> None:
    for route, endpoint in served(routes).items():
        answer = STRANGER[LEVELS.index(expected(route, endpoint))]
        assert visitor.status(route, BROKEN[kind]) == answer, route


def test_a_token_in_the_address_opens_nothing(routes: Map, visitor: Visitor) -> None:
    secret = SECRETS["admin"]
    query = f"?token={secret}&access_token={secret}&authorization=Bearer%20{secret}"
    for route, endpoint in served(routes).items():
        answer = STRANGER[LEVELS.index(expected(route, endpoint))]
        assert visitor.status(route + query) == answer, route


def test_a_token_for_one_camera_brings_frames_of_no_other(routes: Map, visitor: Visitor) -> None:
    mine = {"POST /cameras/door/frames", "POST /cameras/door/stream"}
    for route, endpoint in served(routes).items():
        level = expected(route, endpoint)
        lets_in = level == "open" or route in mine
        assert (visitor.status(route, bearer(SECRETS["door"])) == LET_IN) is lets_in, route


@pytest.mark.parametrize(
    ("route", "is_mine"),
    [
        ("POST /cameras/yard/frames", False),
        ("POST /cameras/yard/stream", False),
        ("POST /cameras/yard/frames?camera=door", False),
        ("POST /cameras/door/frames?camera=yard", True),
        ("POST /image_post", False),
        ("POST /image_post?camera=door", True),
        ("POST /image_post?camera=yard", False),
        ("POST /image_post?camera=yard&camera=door", False),
        ("POST /image_post?camera=door&camera=yard", True),
        ("POST /image_post?%63amera=yard&camera=door", False),
        ("POST /image_post?camera=", False),
        ("POST /image_post?camera=door%00", False),
        ("POST /v1/vision/detection?camera=door", False),
        ("POST /v2/models/door/infer", False),
    ],
)
def test_whose_frames_come_is_read_as_the_application_reads_it(
    route: str, is_mine: bool, visitor: Visitor
) -> None:
    answer = LET_IN if is_mine else NOT_THAT
    assert visitor.status(route, bearer(SECRETS["door"])) == answer
    assert visitor.status(route, bearer(SECRETS["ingest"])) == LET_IN


@pytest.mark.parametrize(
    "path",
    [
        *("/?action=stream", "/?action=snapshot&camera=door", "/?x=1&action=", "/?%61ction=stream"),
        *("//?action=stream", "///?action=stream", "?action=stream", "/?action=stream&action="),
    ],
)
def test_pictures_at_the_page_s_address_are_for_view(path: str, visitor: Visitor) -> None:
    assert visitor.status(f"GET {path}") == NOTHING
    assert visitor.status(f"GET {path}", bearer(SECRETS["ingest"])) == NOT_THAT
    assert visitor.status(f"GET {path}", bearer(SECRETS["view"])) == LET_IN


@pytest.mark.parametrize(
    "path",
    [
        *("//cameras", "/cameras/", "/cameras;x=1", "/cameras%2F", "/cameras/../healthz"),
        *("/healthz/../cameras", "/healthz/", "/healthz;x", "/HEALTHZ", "/healthz\n", "/./healthz"),
        *("/static", "/static/", "/static//", "/statically", "/nothing", "*", "/cameras/a/b/c"),
        *("/cameras//frames", "/cameras/do%2For/frames", "/cameras/a\x00b/frames"),
        *("/v3", "/v1x", "/v2x", "/metrics/", "/acces"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE", "X"])
def test_strangers_do_not_learn_what_there_is(method: str, path: str, visitor: Visitor) -> None:
    assert visitor.status(f"{method} {path}") == NOTHING


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
def test_other_methods_need_what_the_route_needs(method: str, visitor: Visitor) -> None:
    assert visitor.status(f"{method} /cameras") == NOTHING
    assert visitor.status(f"{method} /cameras", bearer(SECRETS["ingest"])) == NOT_THAT
    assert visitor.status(f"{method} /cameras", bearer(SECRETS["view"])) == LET_IN
    assert visitor.status(f"{method} /healthz") == LET_IN


def test_of_the_paths_that_strangers_make_up_few_are_remembered_and_no_long_ones(
    routes: Map,
) -> None:
    needs = Needs(routes)
    for number in range(10):
        assert needs.of("GET", f"/cameras/{number:0300}", "").level == "view"
    needs.of("GET", f"/{'x' * 200}", "")
    assert needs._remembered.cache_info().currsize == 0
    needs.of("GET", f"/{'x' * 199}", "")
    assert needs._remembered.cache_info().currsize == 1

    for number in range(1100):
        assert needs.of("GET", f"/cameras/{number}", "").level == "view"
    assert needs._remembered.cache_info().currsize == 1024


@pytest.mark.parametrize(
    ("path", "query", "need"),
    [
        ("/image_post", "", Need("ingest", "default")),
        ("/image_post", "camera=yard", Need("ingest", "yard")),
        ("/image_post", "action=stream", Need("ingest", "default")),
        ("/cameras/door/frames", "camera=yard", Need("ingest", "door")),
        # WSGI gives the bytes of a path as characters.
        ("/cameras/d\xc3\xb6r/frames", "", Need("ingest", "dör")),
        ("/cameras/d\xf6r/frames", "", Need("ingest", "d\ufffdr")),
        ("/cameras/d\u0436r/frames", "", Need("ingest", "d?r")),
        ("/cameras/door/control", "action=stream", Need("any")),
        ("/XX", "action=stream", Need("any")),
        ("/v1/vision/detection", "", Need("ingest")),
        ("/nothing", "", Need("any")),
    ],
)
def test_a_camera_is_read_from_a_path_or_a_query_as_it_is_spelt(
    path: str, query: str, need: Need, routes: Map
) -> None:
    assert Needs(routes).of("POST", path, query) == need


def test_a_route_that_nobody_thought_of_is_for_admin() -> None:
    assert level_of("new.get_something") == "admin"
    assert level_of("kserve_new.get_something") == "admin"
    known = ["kserve.infer", "ingest.post_frame", "access.get_access"]
    assert unclassified([*known, "new.get_something", "ingest.new"]) == [
        *("new.get_something", "ingest.new")
    ]
