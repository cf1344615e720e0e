"""HTTP cameras: MJPEG streams as cameras write them, snapshots, logins, redirects, trouble."""

from __future__ import annotations

import base64
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import cv2
import pytest

from sender.picture import ImagePicture, JpegPicture
from sender.source import Shot, Source, SourceError, SourceOptions, open_source
from shared import codec, pattern
from tests.sender.sources.conftest import Answer, Serve

JPEGS = [codec.encode(pattern.draw(n, 160, 120), 80) for n in range(6)]


@contextmanager
def opened(url: str, **options: float) -> Iterator[Source]:
    source = open_source(url, SourceOptions(**options))  # type: ignore[arg-type]
    try:
        source.open()
        yield source
    finally:
        source.close()


def number(shot: Shot) -> int:
    mark = pattern.read(codec.decode(shot.picture.to_jpeg(90)))
    assert mark is not None
    return mark.number


def stream(
    pieces: Sequence[bytes],
    content_type: str = "multipart/x-mixed-replace; boundary=frame",
    *,
    end: threading.Event | None = None,
) -> Answer:
    """Return an answer that sends `pieces`, and then waits for `end` with the connection open."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", content_type)
        request.send_header("Connection", "close")
        request.end_headers()
        for piece in pieces:
            request.wfile.write(piece)
            request.wfile.flush()
        if end is not None:
            end.wait(60)

    return answer


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def with_length(jpeg: bytes) -> bytes:
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def without_length(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n"


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "with a length": with_length,
    "without a length": without_length,
    "with dashes in front of the boundary": lambda jpeg: b"--" + without_length(jpeg),
    "with bare line feeds": lambda jpeg: (
        f"--frame\ncontent-length:{len(jpeg)}\n\n".encode() + jpeg + b"\n"
    ),
    "without headers": lambda jpeg: b"--frame\r\n\r\n" + jpeg + b"\r\n",
    "with a length that is too great": lambda jpeg: with_length(jpeg).replace(
        f"{len(jpeg)}".encode(), f"{len(jpeg) + 2}".encode(), 1
    ),
    "with a length of zero": lambda jpeg: with_length(jpeg).replace(
        f"{len(jpeg)}".encode(), b"0", 1
    ),
    "without a line break at the end": lambda jpeg: with_length(jpeg)[:-2],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [700, 1 << 20])
def test_an_mjpeg_stream_is_passed_on_byte_for_byte(serve: Serve, form: str, piece: int) -> None:
    body = b"".join(FORMS[form](jpeg) for jpeg in JPEGS) + b"--frame--\r\n"
    url = serve(stream([body[i : i + piece] for i in range(0, len(body), piece)]))

    with opened(url) as source:
        pictures = [source.read().picture for _ in JPEGS]
        with pytest.raises(SourceError) as caught:
            source.read()

    assert all(isinstance(picture, JpegPicture) for picture in pictures)
    assert [picture.to_jpeg(50) for picture in pictures] == JPEGS
    assert caught.value.reason == "ended"


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/x-mixed-replace; boundary="frame"',
        "multipart/x-mixed-replace;boundary=--frame",
        "Multipart/X-Mixed-Replace; charset=x; Boundary=frame",
        "multipart/x-mixed-replace",
        "multipart/x-mixed-replace; boundary=--",
        "application/octet-stream",
    ],
)
def test_every_way_to_announce_a_boundary_is_understood(serve: Serve, content_type: str) -> None:
    url = serve(stream([b"preamble\r\n", *map(with_length, JPEGS)], content_type))

    with opened(url) as source:
        assert [number(source.read()) for _ in JPEGS] == list(range(len(JPEGS)))


@pytest.mark.parametrize("form", [with_length, without_length])
def test_a_frame_is_there_as_soon_as_its_last_byte_is(
    serve: Serve, end: threading.Event, form: Callable[[bytes], bytes]
) -> None:
    url = serve(stream([form(JPEGS[3])], end=end))

    with opened(url) as source:
        before = time.monotonic()
        shot = source.read()

        assert number(shot) == 3
        assert before - 1 < shot.captured <= time.monotonic()


def test_parts_that_are_no_image_are_skipped_and_counted(serve: Serve) -> None:
    truncated = with_length(JPEGS[1][:-500])
    url = serve(stream([with_length(b"busy"), truncated, *map(with_length, JPEGS)]))

    with opened(url) as source:
        first, second = source.read(), source.read()

    assert (number(first), first.lost) == (0, 2)
    assert (number(second), second.lost) == (1, 0)


def test_a_stream_without_any_image_is_given_up(serve: Serve) -> None:
    url = serve(stream([with_length(b"busy")] * 20000))

    with opened(url, read_timeout=0.02) as source, pytest.raises(SourceError) as caught:
        source.read()

    assert caught.value.reason == "format"


@pytest.mark.parametrize(
    "body",
    [
        b"--frame\r\nContent-Length: 99999999999\r\n\r\n",
        b"--frame\r\nContent-Length: 999999999\r\n\r\n",
        b"--frame\r\n" + b"X: y\r\n" * 10_000,
        b"--frame\r\n\r\n\xff\xd8" + b"x" * (33 << 20),
        b"x" * (33 << 20),
    ],
)
def test_what_is_endless_is_not_swallowed(serve: Serve, body: bytes) -> None:
    url = serve(stream([body]))

    with opened(url, read_timeout=60) as source, pytest.raises(SourceError) as caught:
        source.read()

    assert caught.value.reason in {"format", "ended"}


def test_a_stream_that_stalls_is_given_up_in_time(serve: Serve, end: threading.Event) -> None:
    url = serve(stream([with_length(JPEGS[0])[:900]], end=end))

    with opened(url, read_timeout=0.3) as source:
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            source.read()

    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 4


def test_a_stream_that_drips_is_given_up_in_time(serve: Serve) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        stream([with_length(JPEGS[0])[:200]])(request)
        while True:
            request.wfile.write(b"x")
            threading.Event().wait(0.05)

    with opened(serve(answer), read_timeout=0.3) as source:
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            source.read()

    assert caught.value.reason == "timeout"
    assert time.monotonic() - start < 4


def test_reading_a_stream_is_interrupted_at_once(serve: Serve, end: threading.Event) -> None:
    url = serve(stream([with_length(JPEGS[0])], end=end))

    with opened(url, read_timeout=60) as source:
        source.read()
        timer = threading.Timer(0.1, source.interrupt)
        timer.start()
        start = time.monotonic()
        with pytest.raises(SourceError) as caught:
            source.read()
        timer.join()

    assert caught.value.reason == "interrupted"
    assert time.monotonic() - start < 30


def snapshots(*, kind: str = "image/jpeg", bodies: Sequence[bytes] = JPEGS) -> Answer:
    waiting = iter([*bodies, *[bodies[-1]] * 1000])

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = next(waiting)
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_a_snapshot_is_asked_for_again_and_again_at_its_rate(serve: Serve) -> None:
    with opened(serve(snapshots()), fps=50.0) as source:
        shots = [source.read() for _ in JPEGS]

    assert [shot.picture.to_jpeg(50) for shot in shots] == JPEGS
    assert shots[-1].captured - shots[0].captured == pytest.approx(5 / 50, abs=0.09)


def test_a_snapshot_in_another_format_is_decoded(serve: Serve) -> None:
    png = cv2.imencode(".png", pattern.draw(7, 160, 120))[1].tobytes()

    with opened(serve(snapshots(kind="image/png", bodies=[png]))) as source:
        shot = source.read()

    assert isinstance(shot.picture, ImagePicture)
    assert number(shot) == 7


def test_a_snapshot_that_is_no_image_is_said_so(serve: Serve) -> None:
    with (
        opened(serve(snapshots(bodies=[b"<html>"]))) as source,
        pytest.raises(SourceError) as caught,
    ):
        source.read()

    assert caught.value.reason == "format"


def failure(url: str, *, timeout: float = 2.0) -> SourceError:
    source = open_source(url, SourceOptions(open_timeout=timeout, read_timeout=timeout))
    with pytest.raises(SourceError) as caught:
        source.open()
    source.close()
    return caught.value


def test_a_page_is_no_camera(serve: Serve) -> None:
    error = failure(serve(snapshots(kind="text/html; charset=utf-8", bodies=[b"<html>"])))

    assert error.reason == "format"
    assert "got text/html" in str(error)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "auth"), (403, "auth"), (404, "not_found"), (410, "not_found"), (500, "refused"),
     (503, "refused"), (418, "format"), (204, "format")],
)  # fmt: skip
def test_a_status_becomes_a_reason(serve: Serve, status: int, reason: str) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    assert failure(serve(answer)).reason == reason


def test_nobody_there_is_refused(refusing_port: int) -> None:
    error = failure(f"http://a:secret@127.0.0.1:{refusing_port}/x?token=secret")

    assert error.reason == "refused"
    assert str(error) == f"http://127.0.0.1:{refusing_port}/x?token=***: connection refused"


def test_an_unknown_host_is_said_so() -> None:
    assert failure("http://a:secret@no-such-host.invalid/").reason == "dns"


def test_a_server_that_says_nothing_is_given_up_in_time(silent_port: int) -> None:
    start = time.monotonic()

    assert failure(f"http://127.0.0.1:{silent_port}/", timeout=0.3).reason == "timeout"
    assert time.monotonic() - start < 4


def test_an_answer_that_drips_is_given_up_in_time() -> None:
    gone = threading.Event()

    def drip(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not gone.wait(0.05):
                client.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        start = time.monotonic()
        error = failure(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.3)
        took = time.monotonic() - start
        gone.set()
        thread.join()

    assert error.reason == "timeout"
    assert took < 4


def test_garbage_is_no_answer() -> None:
    def talk(server: socket.socket) -> None:
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=talk, args=(server,))
        thread.start()
        error = failure(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join()

    assert error.reason in {"io", "format", "ended"}


def guarded(check: Callable[[str], bool], challenge: str, seen: list[str]) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        sent = request.headers.get("Authorization", "")
        seen.append(sent)
        if check(sent):
            stream([with_length(JPEGS[0])])(request)
            return
        request.send_response(401)
        request.send_header("WWW-Authenticate", challenge)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def with_login(url: str, login: str) -> str:
    return url.replace("http://", f"http://{login}@")


def test_a_basic_login_is_sent_when_it_is_asked_for(serve: Serve) -> None:
    seen: list[str] = []
    wanted = "Basic " + base64.b64encode(b"admin:p@ss/w:rd").decode()
    url = serve(guarded(lambda sent: sent == wanted, 'Basic realm="cam"', seen))

    with opened(with_login(url, "admin:p%40ss%2Fw:rd")) as source:
        assert number(source.read()) == 0

    assert seen == ["", wanted]


def test_a_digest_login_never_sends_the_password(serve: Serve) -> None:
    seen: list[str] = []
    challenge = 'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5'
    url = serve(
        guarded(
            lambda sent: bool(re.match('Digest username="admin".*response=', sent)), challenge, seen
        )
    )

    with opened(with_login(url, "admin:secret")) as source:
        assert number(source.read()) == 0

    assert not any("secret" in sent for sent in seen)


def test_a_wrong_password_is_said_and_not_shown(serve: Serve) -> None:
    seen: list[str] = []
    url = serve(guarded(lambda sent: False, 'Basic realm="cam"', seen))

    error = failure(with_login(url, "admin:secret"))

    assert error.reason == "auth"
    assert "secret" not in str(error) + repr(error)
    assert len(seen) == 2


def redirect(to: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def test_a_redirect_is_followed(serve: Serve) -> None:
    url = serve(redirect(serve(stream([with_length(JPEGS[4])])) + "/other"))

    with opened(url) as source:
        assert number(source.read()) == 4


def test_a_login_does_not_follow_a_redirect_to_another_server(serve: Serve) -> None:
    seen: list[str] = []
    other = serve(guarded(lambda sent: False, 'Basic realm="thief"', seen))

    error = failure(with_login(serve(redirect(other)), "admin:secret"))

    assert error.reason == "auth"
    assert seen == [""]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "rtsp://u:secret@cam/x", "https://cam/"])
def test_a_redirect_to_another_scheme_is_not_followed(serve: Serve, target: str) -> None:
    error = failure(serve(redirect(target)))

    assert error.reason == "format"
    assert "redirect" in str(error)
    assert "secret" not in str(error)


def test_a_redirect_in_a_circle_ends(serve: Serve) -> None:
    assert failure(serve(redirect("/again"))).reason == "format"


def test_the_environment_s_proxy_is_not_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, refusing_port: int
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refusing_port}")
    monkeypatch.delenv("no_proxy", raising=False)

    with opened(serve(stream([with_length(JPEGS[2])]))) as source:
        assert number(source.read()) == 2
