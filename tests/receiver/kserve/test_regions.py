from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask.testing import FlaskClient

from receiver.hub import Hub
from receiver.kserve.regions import MAX_REGIONS, Piece, Regions
from shared.errors import FrameError
from tests.receiver.answering import Answering
from tests.receiver.conftest import MAX_BYTES
from tests.receiver.kserve.asking import JPEG, PIXELS, ask, element, error, infer, pixels

SIZE = len(PIXELS)


def register(client: FlaskClient, name: str = "in", **content: Any) -> Any:
    content = {"key": "/in", "offset": 0, "byte_size": SIZE, **content}
    return client.post(f"/v2/systemsharedmemory/region/{name}/register", json=content)


def place(region: str = "in", size: int = SIZE, offset: int | None = None) -> dict[str, Any]:
    parameters: dict[str, Any] = {"shared_memory_region": region, "shared_memory_byte_size": size}
    if offset is not None:
        parameters["shared_memory_offset"] = offset
    return parameters


@pytest.fixture
def frame(memory: Path, client: FlaskClient) -> Path:
    """Memory that holds a picture behind 100 bytes of something else, registered as `in`."""
    path = memory / "in"
    path.write_bytes(bytes(100) + PIXELS)
    assert register(client, offset=100).status_code == 200
    return path


@pytest.fixture
def outlet(memory: Path, client: FlaskClient) -> Path:
    """Memory of 4000 bytes, its last 3000 registered as `out`."""
    path = memory / "out"
    path.write_bytes(b"." * 4000)
    response = register(client, "out", key="out", offset=1000, byte_size=3000)
    assert response.status_code == 200
    return path


def test_pixels_reach_the_hook_where_they_lie(
    frame: Path, client: FlaskClient, hook: Answering, hub: Hub
) -> None:
    hook.answer = lambda given: {"value": type(given).__name__}

    outputs = infer(client, pixels(parameters=place()), None)

    assert hook.frames[0].data == PIXELS
    assert outputs["result"]["data"] == ['"SharedFrame"']
    camera = hub.get("kserve")
    assert camera is not None
    assert camera.latest.peek() is None, "the memory is its owner's, and nobody's to be shown later"


def test_a_tensor_may_begin_within_a_region(
    memory: Path, client: FlaskClient, hook: Answering
) -> None:
    (memory / "in").write_bytes(bytes(164) + PIXELS)
    register(client, offset=100, byte_size=SIZE + 64)

    infer(client, pixels(parameters=place(offset=64)), None)

    assert hook.frames[0].data == PIXELS


def test_an_encoded_picture_may_lie_in_shared_memory(
    memory: Path, client: FlaskClient, hook: Answering
) -> None:
    (memory / "in").write_bytes(element(JPEG) + bytes(SIZE))
    register(client)

    infer(client, pixels(datatype="BYTES", shape=[1], parameters=place()), None)

    assert hook.frames[0].data == JPEG


@pytest.mark.parametrize(
    ("head", "status", "sentence"),
    [
        (b"\xff\xff\xff\xff", 400, "expected an element's length in four bytes"),
        ((MAX_BYTES * 9).to_bytes(4, "little"), 413, "at most 100000 bytes"),
    ],
)
def test_an_element_is_not_read_any_further_than_to_see_that_it_is_too_long(
    head: bytes,
    status: int,
    sentence: str,
    memory: Path,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    pread = os.pread

    def note(fd: int, count: int, offset: int) -> bytes:
        read.append(count)
        return pread(fd, count, offset)

    monkeypatch.setattr(os, "pread", note)
    (memory / "in").write_bytes(head + bytes(MAX_BYTES * 10))
    register(client, byte_size=MAX_BYTES * 10)
    given = pixels(datatype="BYTES", shape=[1], parameters=place(size=MAX_BYTES * 10))

    response = ask(client, {"inputs": [given]})

    assert sentence in error(response)
    assert response.status_code == status
    assert max(read) <= MAX_BYTES + 1


def test_outputs_are_written_into_shared_memory(
    outlet: Path, client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda _: {"value": {"a": [1, 2]}, "arrays": {"a": ("uint8", (2,))}}
    outputs = [
        {"name": "a", "parameters": place("out", 8, 4)},
        {"name": "result", "parameters": {**place("out", 100, 100), "binary_data": False}},
    ]

    told = infer(client, pixels(), PIXELS, outputs=outputs)

    assert told["a"] == {
        "datatype": "UINT8",
        "shape": [2],
        "parameters": {
            "shared_memory_region": "out",
            "shared_memory_offset": 4,
            "shared_memory_byte_size": 2,
        },
    }
    written = outlet.read_bytes()
    text = element(b'{"a": [1, 2]}')
    assert written[1004:1006] == b"\1\2"
    assert written[1100 : 1100 + len(text)] == text
    rest = written[:1004] + written[1006:1100] + written[1100 + len(text) :]
    assert set(rest) == set(b"."), "something else was written"


def test_an_output_that_does_not_fit_is_an_error_and_nothing_is_written(
    outlet: Path, client: FlaskClient, hook: Answering
) -> None:
    hook.answer = lambda _: {"value": "x" * 100}

    response = ask(
        client,
        {"inputs": [pixels()], "outputs": [{"name": "result", "parameters": place("out", 50)}]},
        PIXELS,
    )

    assert response.status_code == 400
    assert "output 'result': 106 bytes do not fit into the 50 of region 'out'" in error(response)
    assert set(outlet.read_bytes()) == set(b".")


@pytest.mark.parametrize(
    ("parameters", "status", "sentence"),
    [
        (place("nobody"), 404, "Unable to find shared memory region: 'nobody'"),
        (place("in", SIZE + 1), 400, "expected at most 57600, the size of region 'in', got 0 +"),
        (place("in", SIZE, 1), 400, "the size of region 'in', got 1 + 57600"),
        (place("in", SIZE, -1), 400, "shared_memory_offset: expected a whole number from 0"),
        (place("in", -1), 400, "shared_memory_byte_size: expected a whole number from 0"),
        (place("in", 2**63 - 1, 2**63 - 1), 400, "expected at most 57600"),
        (place("in", 2**63), 400, "shared_memory_byte_size: expected a whole number"),
        (place("in", SIZE - 3), 422, "expected 57600 bytes of 160x120 bgr, got 57597"),
        ({"shared_memory_region": "in"}, 400, "shared_memory_byte_size: expected a whole number"),
        ({"shared_memory_byte_size": 5}, 400, "shared_memory_region: expected the name"),
        ({"shared_memory_region": 5, "shared_memory_byte_size": 5}, 400, "expected the name of"),
    ],
)
def test_the_place_of_an_input_is_checked(
    parameters: dict[str, Any],
    status: int,
    sentence: str,
    frame: Path,
    client: FlaskClient,
    hook: Answering,
) -> None:
    response = ask(client, {"inputs": [pixels(parameters=parameters)]})

    assert sentence in error(response)
    assert response.status_code == status
    assert not hook.frames


def test_a_picture_in_shared_memory_is_no_larger_than_others_may_be(
    memory: Path, client: FlaskClient
) -> None:
    (memory / "in").write_bytes(bytes(700 * 700))
    register(client, byte_size=700 * 700)

    response = ask(client, {"inputs": [pixels(shape=[700, 700], parameters=place(size=490_000))]})

    assert error(response) == "image: expected at most 307200 pixels, got 700x700"


def test_the_place_of_an_output_is_checked_before_the_hook_runs(
    outlet: Path, client: FlaskClient, hook: Answering
) -> None:
    for parameters in (place("nobody", 10), place("out", 3001)):
        outputs = [{"name": "result", "parameters": parameters}]
        response = ask(client, {"inputs": [pixels()], "outputs": outputs}, PIXELS)
        assert response.status_code in (400, 404)

    assert not hook.frames


def test_memory_that_shrank_is_an_error_and_is_not_made_long_again(
    frame: Path, outlet: Path, client: FlaskClient, hook: Answering
) -> None:
    os.truncate(frame, 500)
    os.truncate(outlet, 1500)
    outputs = [{"name": "result", "parameters": place("out", 10)}]

    as_input = ask(client, {"inputs": [pixels(parameters=place())]})
    as_output = ask(client, {"inputs": [pixels()], "outputs": outputs}, PIXELS)

    assert error(as_input) == "region 'in': expected at least 57700 bytes in /in, got 500"
    assert error(as_output) == "region 'out': expected at least 4000 bytes in out, got 1500"
    assert outlet.stat().st_size == 1500
    assert not hook.frames


def test_memory_whose_name_is_gone_is_still_there(
    frame: Path, client: FlaskClient, hook: Answering
) -> None:
    frame.unlink()
    frame.write_bytes(b"another")

    infer(client, pixels(parameters=place()), None)

    assert hook.frames[0].data == PIXELS


def test_memory_that_may_only_be_read_takes_no_output(
    regions: Regions, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (memory / "in").write_bytes(b"123456")
    opened = os.open

    def open_to_read(path: Path, flags: int) -> int:  # root may write everything
        assert flags & os.O_NONBLOCK, "a pipe would be waited for"
        if flags & os.O_RDWR:
            raise PermissionError
        return opened(path, flags)

    monkeypatch.setattr(os, "open", open_to_read)
    regions.register("in", {"key": "/in", "byte_size": 6})

    assert regions.open(Piece("in", 0, 6)).read() == b"123456"
    with pytest.raises(FrameError, match="the receiver may not write in /in"):
        regions.write(Piece("in", 0, 6), b"x", what="output 'a'")


def test_regions_are_told_of_and_forgotten(frame: Path, outlet: Path, client: FlaskClient) -> None:
    told = {"name": "in", "key": "/in", "offset": 100, "byte_size": SIZE}
    other = {"name": "out", "key": "out", "offset": 1000, "byte_size": 3000}
    route = "/v2/systemsharedmemory"

    assert client.get(f"{route}/status").get_json() == [told, other]
    assert client.get(f"{route}/region/in/status").get_json() == [told]
    assert client.post(f"{route}/region/in/unregister").status_code == 200
    assert client.post(f"{route}/region/in/unregister").status_code == 200
    gone = client.get(f"{route}/region/in/status")
    assert gone.status_code == 404
    assert error(gone) == "Unable to find system shared memory region: 'in'"
    assert client.post(f"{route}/unregister").status_code == 200
    assert client.get(f"{route}/status").get_json() == []


def test_a_name_is_registered_once(frame: Path, client: FlaskClient) -> None:
    response = register(client)

    assert response.status_code == 400
    assert error(response) == "shared memory region 'in' already in manager"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"key": "/nobody"}, "Unable to open shared memory region: '/nobody' (No such file"),
        ({"key": None}, "key: expected the name of shared memory"),
        ({"key": 7}, "key: expected the name of shared memory"),
        ({"key": ""}, "key: expected the name of shared memory"),
        ({"key": "/"}, "key: expected the name of shared memory"),
        ({"key": ".."}, "key: expected the name of shared memory"),
        ({"key": "/../secret"}, "with no further '/' in it, got '/../secret'"),
        ({"key": "/sub/in"}, "with no further '/' in it"),
        ({"key": "in\0"}, "key: expected the name of shared memory"),
        ({"key": "in\ud800"}, "key: expected the name of shared memory"),
        ({"key": "x" * 256}, "key: expected the name of shared memory"),
        ({"key": "/link"}, "Unable to open shared memory region: '/link'"),
        ({"key": "/pipe"}, "Unable to open shared memory region: '/pipe' (no memory)"),
        ({"key": "/sub"}, "Unable to open shared memory region: '/sub'"),
        ({"byte_size": SIZE + 1}, "expected at least 57601 bytes in /in, got 57600"),
        ({"offset": 1}, "expected at least 57601 bytes in /in, got 57600"),
        ({"offset": 2**63 - 1, "byte_size": 2**63 - 1}, "expected at least 1844674407370955161"),
        ({"byte_size": 0}, "byte_size: expected a whole number from 1"),
        ({"byte_size": -1}, "byte_size: expected a whole number from 1"),
        ({"byte_size": 2**63}, "byte_size: expected a whole number from 1"),
        ({"byte_size": 1.0}, "byte_size: expected a whole number from 1"),
        ({"byte_size": True}, "byte_size: expected a whole number from 1"),
        ({"byte_size": None}, "byte_size: expected a whole number from 1"),
        ({"offset": -1}, "offset: expected a whole number from 0"),
        ({"offset": "0"}, "offset: expected a whole number from 0"),
    ],
)
def test_what_is_registered_is_checked(
    content: dict[str, Any], sentence: str, memory: Path, client: FlaskClient
) -> None:
    (memory / "in").write_bytes(PIXELS)
    (memory.parent / "secret").write_bytes(PIXELS)
    (memory / "link").symlink_to(memory.parent / "secret")
    (memory / "sub").mkdir()
    os.mkfifo(memory / "pipe")

    response = register(client, **content)

    assert sentence in error(response)
    assert response.status_code == 400


def test_a_name_has_its_limit(client: FlaskClient, memory: Path) -> None:
    (memory / "in").write_bytes(PIXELS)

    assert register(client, "x" * 255).status_code == 200
    route = f"/v2/systemsharedmemory/region/{'x' * 256}"
    for response in (
        register(client, "x" * 256),
        client.get(f"{route}/status"),
        client.post(f"{route}/unregister"),
    ):
        assert response.status_code == 400
        assert error(response) == "name: expected 1 to 255 characters, got 256"


@pytest.mark.parametrize("body", [b" ", b"[]", b"{", b"[" * 60_000, b'"x"', b" " * 70_000])
def test_garbage_is_not_registered(body: bytes, client: FlaskClient) -> None:
    response = client.post("/v2/systemsharedmemory/region/a/register", data=body)

    assert response.status_code in (400, 413)
    assert error(response)


def test_there_are_not_more_regions_than_files_can_be_open(regions: Regions, memory: Path) -> None:
    (memory / "in").write_bytes(b"123")
    content = {"key": "in", "byte_size": 3}
    for number in range(MAX_REGIONS):
        regions.register(str(number), content)

    with pytest.raises(FrameError, match="at most 256 regions; unregister some"):
        regions.register("more", content)


def test_no_file_stays_open(
    frame: Path, outlet: Path, client: FlaskClient, hook: Answering, memory: Path
) -> None:
    hook.answer = lambda given: given.region.close() or {}  # type: ignore[attr-defined]
    infer(client, pixels(parameters=place()), None)
    for parameters in (place(size=5), place("out", 5), place("in", SIZE, 1)):
        ask(client, {"inputs": [pixels(parameters=parameters)]})
    for key in ("/in", "/nobody"):
        register(client, "again", key=key, byte_size=10**9)
    client.post("/v2/systemsharedmemory/unregister")

    assert not [file.path for file in psutil.Process().open_files() if str(memory) in file.path]


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.8.8.8", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("::ffff:192.0.2.7", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"Origin": "http://example.com"}, 403),
        ("127.0.0.1", {"Origin": "null"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}, 403),
        ("127.0.0.1", {"X-Real-IP": "192.0.2.7"}, 403),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 403),
    ],
)
def test_only_programs_on_this_machine_reach_its_memory(
    address: str,
    headers: dict[str, str],
    status: int,
    frame: Path,
    outlet: Path,
    client: FlaskClient,
) -> None:
    from_there: dict[str, Any] = {
        "environ_base": {"REMOTE_ADDR": address},
        "headers": headers,
    }
    infer_route = "/v2/models/motion/infer"
    outputs = [{"name": "result", "parameters": place("out", 3000)}]
    shared_input = {"inputs": [pixels(parameters=place())]}
    small = pixels(shape=[1, 1, 3], parameters=None, data=[1, 2, 3])
    shared_output = {"inputs": [small], "outputs": outputs}

    answers = [
        client.post(infer_route, json=shared_input, **from_there),
        client.post(infer_route, json=shared_output, **from_there),
        client.post(
            "/v2/systemsharedmemory/region/new/register",
            json={"key": "/in", "byte_size": 1},
            **from_there,
        ),
        client.post("/v2/systemsharedmemory/unregister", **from_there),
    ]

    assert [answer.status_code for answer in answers] == [status] * 4
    if status == 403:
        assert "expected a program on the receiver's own machine" in error(answers[0])
        assert client.get("/v2/systemsharedmemory/region/in/status").status_code == 200


def test_memory_of_devices_is_none(client: FlaskClient) -> None:
    route = "/v2/cudasharedmemory"

    assert client.get(f"{route}/status").get_json() == []
    assert client.post(f"{route}/unregister").status_code == 200
    assert client.post(f"{route}/region/a/unregister").status_code == 200
    assert client.get(f"{route}/region/a/status").status_code == 404
    assert "use system shared memory" in error(client.post(f"{route}/region/a/register"))
