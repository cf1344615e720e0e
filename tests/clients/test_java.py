from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from shared import codec, pattern
from tests.clients.conftest import MakeFolder, blocks
from tests.clients.example_contract import ExampleContract, result
from tests.clients.java import FOLDER, JVM, Scripts
from tests.clients.servers import Answer, ScriptedServer, accepted, problem, processed
from tests.program import ROOT, Command, Receiver
from tests.sender.doubles import RawServer

#: A key and a self-signed certificate for 127.0.0.1.
PEM = ROOT / "tests" / "shared" / "localhost.pem"


class TestExample(ExampleContract):
    command: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture(autouse=True)
    def _program(self, java_classes: Path) -> None:
        type(self).command = ("java", *JVM, "-cp", str(java_classes), "Example")

    @pytest.mark.parametrize("option", [("--raw",), ("--quality", "60")])
    def test_pictures_can_be_decoded_and_sent_as_pixels_or_encoded_again(
        self, option: tuple[str, ...], make_folder: MakeFolder, witness: Receiver
    ) -> None:
        status, lines = self.run(
            *(make_folder(3, first=5), "--wait", 10, "--camera", f"again{option[0]}", *option),
            url=witness.url,
        )

        assert status == 0, lines
        assert [result(line)["number"] for line in lines] == [5, 6, 7]

    def test_help_tells_every_option_and_a_word_too_many_is_told(
        self, make_folder: MakeFolder
    ) -> None:
        status, lines = self.run("--help", url="http://127.0.0.1:1")
        assert status == 0
        assert "--latest" in "\n".join(lines)

        status, lines = self.run(make_folder(1), "--wiat", 1, url="http://127.0.0.1:1")
        assert status == 2
        assert lines == ["Example: expected one folder and options, got --wiat; --help says more"]


def test_a_java_without_awt_is_enough_for_what_is_no_image(
    make_folder: MakeFolder, java_classes: Path
) -> None:
    program = ("java", "--limit-modules", "java.net.http", "-cp", str(java_classes), "Example")
    with (
        ScriptedServer() as server,
        Command(*program, str(make_folder(1)), "--url", server.url) as command,
    ):
        assert command.wait() == 0, command.output


def test_the_lines_of_the_readme_work(
    make_folder: MakeFolder, witness: Receiver, java_classes: Path, tmp_path: Path
) -> None:
    make_folder(1, first=5)
    (tmp_path / "pictures" / "005.jpg").rename(tmp_path / "photo.jpg")
    first, *_ = blocks(FOLDER / "README.md", "java", url=witness.url)
    (tmp_path / "Door.java").write_text(first, encoding="utf-8")

    with Command("java", "-cp", str(java_classes), "Door.java", cwd=tmp_path) as program:
        assert program.wait() == 0, program.output

    assert program.lines == ["processed 5"]


def test_the_other_blocks_of_the_readme_compile(java: Scripts) -> None:
    _, *others = blocks(FOLDER / "README.md", "java", url="http://127.0.0.1:8000")
    assert len(others) == 2
    given = """
    class Camera { BufferedImage next() { return null; } }
    Camera camera = new Camera();
    String token = "t";
    boolean running = false;
    """
    client = 'FramepostClient client = FramepostClient.builder("http://h", "c").build();'
    pipeline, events = others
    script = given + f"if (url.isEmpty()) return;{{ {pipeline} }} {{ {client} {events} }}"
    assert java.run("", script) == []


# One frame, one reply


def test_a_reply_has_what_the_hook_returned_and_what_the_receiver_wishes(java: Scripts) -> None:
    wish = "fps=7.5; size=640x360; quality=70; mood=good"
    value = [1, {"a": None, "b": ["ü", 2.5]}]
    with ScriptedServer(lambda r: processed(r, value, X_Frame_Control=wish)) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url + "/", "cam.1-x_").build();
        Reply reply = client.send(jpeg, Duration.ofSeconds(1));
        tell(reply.status(), reply.state(), reply.seq(), reply.error().isPresent());
        tell(reply.result(), reply.result(1, "b", 1), reply.result(1, "b", 2), reply.result("x"));
        tell(reply.timings(), reply.resultMap(), reply.body().length());
        Control wish = reply.control().get();
        tell(wish.fps().getAsDouble(), wish.width().getAsInt(), wish.height().getAsInt());
        tell(wish.quality().getAsInt(), client.epoch());
        """
        told = java.run(server.url, script)

    (request,) = server.requests
    assert request.target == "/cameras/cam.1-x_/frames"
    assert told[:2] == [[200, "processed", 0, False], [value, 2.5, None, None]]
    assert told[2][:2] == [{"queue": 0.1, "decode": 2.31, "hook": 4.0, "total": 6.7}, {}]
    assert told[3:] == [[7.5, 640, 360], [70, request.epoch]]


def test_a_wish_that_says_nothing_legible_is_none(java: Scripts) -> None:
    wishes = ["", "fps=0", "fps=-1; size=640", "quality=high", ";;=;", "fps=", "myfps=5"]
    rest = iter(wishes)
    with ScriptedServer(lambda r: accepted(r, X_Frame_Control=next(rest))) as server:
        script = f"""
        FramepostClient client = FramepostClient.builder(url, "a").build();
        for (int i = 0; i < {len(wishes)}; i++) tell(client.send(jpeg).control().isPresent());
        """
        assert java.run(server.url, script) == [[False]] * len(wishes)


def test_the_request_is_plain_http_1_with_a_length_and_no_ceremony(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").token("t0ken").build();
        client.send(new byte[300_000]);
        Frame frame = Frame.of(jpeg, "image/webp").capturedAt(Instant.parse(
            "2023-11-14T22:13:20.000005Z"));
        client.send(frame, Duration.ofMillis(1250), FramepostClient.Mode.EVERY);
        """
        java.run(server.url, script)

    first, second = server.requests
    assert server.connections == 1
    assert first.version == "HTTP/1.1"
    assert first.headers["content-length"] == "300000"
    assert {*first.headers} == {
        *("host", "user-agent", "content-length", "content-type", "authorization"),
        *("x-frame-epoch", "x-frame-seq", "x-timestamp", "x-sent-at"),
    }
    assert second.headers["content-type"] == "image/webp"
    assert second.headers["x-timestamp"] == "1700000000.000005"
    assert second.headers["prefer"] == "wait=1.25"
    assert second.query == {"mode": "every"}


def test_a_frame_without_a_byte_goes_for_the_receiver_to_refuse(java: Scripts) -> None:
    with ScriptedServer([problem(422, "image: the body is empty")]) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        try { client.send(new byte[0]); } catch (Refused e) { tell(e.detail()); }
        tell(client.send(jpeg).state());
        """
        assert java.run(server.url, script) == [["image: the body is empty"], ["accepted"]]

    assert server.requests[0].headers["content-length"] == "0"
    assert server.connections == 1


def test_numbers_in_headers_are_the_same_in_every_language(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = """
        FramepostClient.builder(url, "a").build().send(jpeg, Duration.ofMillis(1500));
        tell(Locale.getDefault().toString().startsWith("ar"), String.format("%d", 1).equals("1"));
        """
        flags = ("-Duser.language=ar", "-Duser.country=EG")
        assert java.run(server.url, script, *flags) == [[True, False]]

    (request,) = server.requests
    assert request.headers["prefer"] == "wait=1.5"
    assert abs(float(request.headers["x-timestamp"]) - request.at) < 30
    assert request.headers["x-timestamp"].isascii()


def test_a_refusal_says_when_to_come_back(java: Scripts) -> None:
    asked = ["7", "1000", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""]
    answers = [problem(503, "not now", Retry_After=header) for header in asked]
    with ScriptedServer(answers) as server:
        script = f"""
        FramepostClient client = FramepostClient.builder(url, "a").build();
        for (int i = 0; i < {len(asked)}; i++) {{
          try {{
            client.send(jpeg);
          }} catch (Refused e) {{
            tell(e.seq(), e.status(), e.detail(), e.getMessage(),
                e.retryAfter().map(Duration::getSeconds).orElse(-1L));
          }}
        }}
        """
        told = java.run(server.url, script)

    assert told == [
        [seq, 503, "not now", "503: not now", seconds]
        for seq, seconds in enumerate((7, 60, -1, 0, -1))
    ]


def test_a_refusal_without_a_word_has_a_detail_all_the_same(java: Scripts) -> None:
    with ScriptedServer([Answer(502, b" \n"), Answer(500, b'{"detail": 5}')]) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        for (int i = 0; i < 2; i++) {
          try { client.send(jpeg); } catch (Refused e) { tell(e.detail()); }
        }
        """
        assert java.run(server.url, script) == [["no reason given"], ['{"detail": 5}']]


def test_a_reply_too_long_is_given_up_and_the_next_frame_goes(java: Scripts) -> None:
    with ScriptedServer([Answer(200, bytes((16 << 20) + 1))]) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        try { client.send(jpeg); } catch (NoReply e) { tell(e.reason() + "", e.getMessage()); }
        tell(client.send(jpeg).state());
        """
        told = java.run(server.url, script)

    message = "no HTTP reply that is legible: the reply is longer than 16777216 bytes"
    assert told == [["PROTOCOL", message], ["accepted"]]


def test_times_that_would_break_the_next_header_are_not_sent_back(java: Scripts) -> None:
    times = {"X-Received-At": "1.5; seen=0", "X-Replied-At": "1.5"}
    with ScriptedServer([Answer(202, {"state": "accepted"}, times)]) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        for (int i = 0; i < 2; i++) client.send(jpeg);
        """
        java.run(server.url, script)

    assert "x-last-exchange" not in server.requests[1].headers


def test_a_hundred_frames_go_through_one_connection(java: Scripts) -> None:
    with ScriptedServer([problem(422, "no")] * 10) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        for (int i = 0; i < 100; i++) {
          try { client.send(jpeg); } catch (Refused e) { tell(e.seq()); }
        }
        """
        assert java.run(server.url, script) == [[seq] for seq in range(10)]

    assert len(server.requests) == 100
    assert server.connections == 1


def test_any_number_of_threads_may_send(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<Reply>> replies = new ArrayList<>();
        for (int i = 0; i < 100; i++) replies.add(threads.submit(() -> client.send(jpeg)));
        Set<Long> numbers = new TreeSet<>();
        for (Future<Reply> reply : replies) numbers.add(reply.get().seq());
        threads.shutdown();
        tell(numbers.size());
        """
        assert java.run(server.url, script) == [[100]]

    assert sorted(request.seq or 0 for request in server.requests) == list(range(100))
    assert server.connections <= 4


def test_a_send_that_is_interrupted_ends_and_hangs_up(java: Scripts) -> None:
    gone = threading.Event()

    def handle(connection: socket.socket, _number: int) -> None:
        while connection.recv(4096):
            pass
        gone.set()

    with RawServer(handle) as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a")
            .timeout(Duration.ofSeconds(60)).build();
        Thread.currentThread().interrupt();
        try { client.send(jpeg); } catch (InterruptedException e) { tell("before"); }
        Thread main = Thread.currentThread();
        new Thread(() -> { try { Thread.sleep(300); } catch (Exception e) {} main.interrupt(); })
            .start();
        try { client.send(jpeg); } catch (InterruptedException e) { tell("amid"); }
        """
        assert java.run(f"http://127.0.0.1:{server.port}", script) == [["before"], ["amid"]]
        assert gone.wait(30)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_server_that_does_not_read_costs_no_more_than_the_timeout(
    tls: bool, java: Scripts
) -> None:
    with hung(tls) as port:
        script = TRUSTING + "try { client.send(new byte[32 << 20]); } catch (NoReply e) {"
        script += 'tell(e.reason() + "", e.getMessage()); }'
        told = java.run(f"{'https' if tls else 'http'}://127.0.0.1:{port}", script)

    assert told == [["TIMEOUT", "no whole reply within 0.5 s"]]


def test_a_reply_that_drips_through_tls_costs_no_more_than_the_timeout(java: Scripts) -> None:
    with hung(True, start=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n") as port:
        script = (
            TRUSTING + 'try { client.send(jpeg); } catch (NoReply e) { tell(e.reason() + ""); }'
        )
        assert java.run(f"https://127.0.0.1:{port}", script) == [["TIMEOUT"]]


def test_a_certificate_that_is_not_trusted_is_trouble(java: Scripts) -> None:
    with hung(True) as port:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        try { client.send(jpeg); } catch (NoReply e) { tell(e.reason() + ""); }
        """
        assert java.run(f"https://127.0.0.1:{port}", script) == [["TLS"]]


def test_the_jvms_proxy_is_not_used_unless_it_is_asked_for(java: Scripts) -> None:
    taken = Answer(202, {"state": "accepted"})
    with ScriptedServer(lambda _: taken) as proxy, ScriptedServer() as server:
        script = """
        FramepostClient.builder(url, "a").build().send(jpeg);
        FramepostClient.builder(url, "a").configure(http -> http.proxy(
            java.net.ProxySelector.getDefault())).build().send(jpeg);
        """
        flags = ("-Dhttp.proxyHost=127.0.0.1", f"-Dhttp.proxyPort={proxy.port}")
        java.run(server.url, script, *flags, "-Dhttp.nonProxyHosts=")

    assert len(server.requests) == 1
    assert len(proxy.requests) == 1


def test_wrong_settings_are_told_at_once(java: Scripts) -> None:
    script = r"""
    String[][] wrong = {
      {"127.0.0.1:8000", "a", null}, {"ftp://x", "a", null}, {"http://x:99999", "a", null},
      {"http://me:secret@x", "a", null}, {"http://x/?a=b", "a", null}, {"http://a_b", "a", null},
      {"http://x", "a/b", null}, {"http://x", "", null}, {"http://x", "a", "secret\nlines"}};
    for (String[] setting : wrong) {
      try {
        FramepostClient.Builder builder = FramepostClient.builder(setting[0], setting[1]);
        if (setting[2] != null) builder.token(setting[2]);
        tell("taken");
      } catch (IllegalArgumentException e) {
        tell(e.getMessage());
      }
    }
    try { FramepostClient.builder("http://x", "a").timeout(Duration.ZERO); }
    catch (IllegalArgumentException e) { tell(e.getMessage()); }
    try { Frame.of(jpeg, "image/jpeg\r\nX: y"); }
    catch (IllegalArgumentException e) { tell(e.getMessage()); }
    """
    told = [line for (line,) in java.run("", script)]

    assert [line.partition(": expected")[0] for line in told] == [
        *["url"] * 6,
        *("camera", "camera", "token", "timeout", "contentType"),
    ]
    assert "secret" not in "\n".join(told)
    assert "takes no '_'" in told[5]


def test_a_client_that_is_closed_says_so(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = """
        FramepostClient client = FramepostClient.builder(url, "a").build();
        client.send(jpeg);
        client.close();
        client.close();
        try { client.send(jpeg); } catch (IllegalStateException e) { tell(e.getMessage()); }
        """
        assert java.run(server.url, script) == [["the client is closed"]]


# Pictures


def test_raw_pixels_reach_the_hook(java: Scripts, witness: Receiver, tmp_path: Path) -> None:
    image = np.ascontiguousarray(pattern.draw(41, 160, 120))
    (tmp_path / "pixels").write_bytes(image.tobytes())
    script = f"""
    FramepostClient client = FramepostClient.builder(url, "javas").build();
    byte[] pixels = Files.readAllBytes(Path.of("{tmp_path}/pixels"));
    tell(client.send(Frame.rawBgr(pixels, 160, 120), Duration.ofSeconds(10)).result("number"));
    try {{ Frame.rawBgr(pixels, 160, 121); }}
    catch (IllegalArgumentException e) {{ tell(e.getMessage()); }}
    """
    assert java.run(witness.url, script) == [
        [41],
        ["pixels: expected 58080 bytes of 160x121 bgr, got 57600"],
    ]


def test_an_image_of_any_type_goes_as_exactly_its_pixels(java: Scripts, tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (31, 47, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "image.png"), image)
    types = ("3BYTE_BGR", "INT_RGB", "INT_BGR", "INT_ARGB", "4BYTE_ABGR", "INT_ARGB_PRE")
    script = f"""
    BufferedImage image = ImageIO.read(new File("{tmp_path}/image.png"));
    FramepostClient client = FramepostClient.builder(url, "a").build();
    for (int type : new int[] {{{", ".join(f"BufferedImage.TYPE_{t}" for t in types)}}}) {{
      BufferedImage copy = new BufferedImage(47, 31, type);
      for (int y = 0; y < 31; y++)
        for (int x = 0; x < 47; x++) copy.setRGB(x, y, image.getRGB(x, y));
      client.send(Frame.raw(copy));
    }}
    client.send(Frame.raw(image.getSubimage(5, 7, 20, 10)));
    client.send(Frame.raw(image.getSubimage(0, 0, 47, 30)));
    BufferedImage clear = new BufferedImage(2, 1, BufferedImage.TYPE_INT_ARGB);
    clear.setRGB(0, 0, 0x00ffffff);
    clear.setRGB(1, 0, 0xff102030);
    client.send(Frame.raw(clear));
    """
    with ScriptedServer() as server:
        java.run(server.url, script)

    *whole, part, upper, clear = server.requests
    assert len(whole) == len(types)
    for request in whole:
        assert request.headers["content-type"] == "application/x-raw-bgr; width=47; height=31"
        assert request.body == image.tobytes()
    assert part.headers["content-type"] == "application/x-raw-bgr; width=20; height=10"
    assert part.body == image[7:17, 5:25].tobytes()
    assert upper.body == image[:30].tobytes()
    assert clear.body == bytes([0, 0, 0, 0x30, 0x20, 0x10])


def test_a_grey_image_stays_as_bright_as_it_is(java: Scripts) -> None:
    script = """
    BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 256; i++) image.getRaster().setSample(i % 16, i / 16, 0, i);
    FramepostClient client = FramepostClient.builder(url, "a").build();
    client.send(Frame.raw(image));
    client.send(Frame.raw(image.getSubimage(8, 0, 8, 16)));
    client.send(Frame.jpeg(image, 100));
    """
    with ScriptedServer() as server:
        java.run(server.url, script)

    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    whole, part, jpeg = server.requests
    assert whole.headers["content-type"] == "application/x-raw-gray; width=16; height=16"
    assert whole.body == ramp.tobytes()
    assert part.body == ramp[:, 8:].tobytes()
    decoded = cv2.imdecode(np.frombuffer(jpeg.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    assert decoded.shape == (16, 16)
    assert np.abs(decoded.astype(int) - ramp).max() <= 3


def test_an_image_of_any_type_becomes_a_jpeg_with_its_colours(
    java: Scripts, tmp_path: Path
) -> None:
    image = pattern.draw(7, 320, 240)
    cv2.imwrite(str(tmp_path / "image.png"), image)
    script = f"""
    BufferedImage image = ImageIO.read(new File("{tmp_path}/image.png"));
    FramepostClient client = FramepostClient.builder(url, "a").build();
    for (int type = BufferedImage.TYPE_INT_RGB; type <= BufferedImage.TYPE_4BYTE_ABGR; type++) {{
      BufferedImage copy = new BufferedImage(320, 240, type);
      for (int y = 0; y < 240; y++)
        for (int x = 0; x < 320; x++) copy.setRGB(x, y, image.getRGB(x, y));
      client.send(Frame.jpeg(copy, 90));
    }}
    client.send(Frame.jpeg(image, 20));
    for (int quality : new int[] {{0, 101}}) {{
      try {{ Frame.jpeg(image, quality); }}
      catch (IllegalArgumentException e) {{ tell(e.getMessage()); }}
    }}
    """
    with ScriptedServer() as server:
        told = java.run(server.url, script)

    *good, small = server.requests
    assert len(good) == 6
    for request in good:
        assert request.headers["content-type"] == "image/jpeg"
        decoded = codec.decode(request.body)
        assert np.abs(decoded.astype(int) - image).mean() < 3
        mark = pattern.read(decoded)
        assert mark is not None
        assert mark.number == 7
    assert len(small.body) < len(good[0].body) / 2
    assert told == [
        ["quality: expected 1 to 100, got 0"],
        ["quality: expected 1 to 100, got 101"],
    ]


# What the tests are made of

TRUSTING = f"""
java.security.KeyStore store = java.security.KeyStore.getInstance("PKCS12");
store.load(null, null);
String pem = Files.readString(Path.of("{PEM}"));
store.setCertificateEntry("it", java.security.cert.CertificateFactory.getInstance("X.509")
    .generateCertificate(new ByteArrayInputStream(
        pem.substring(pem.indexOf("-----BEGIN CERTIFICATE")).getBytes())));
javax.net.ssl.TrustManagerFactory trust = javax.net.ssl.TrustManagerFactory.getInstance("PKIX");
trust.init(store);
javax.net.ssl.SSLContext context = javax.net.ssl.SSLContext.getInstance("TLS");
context.init(null, trust.getTrustManagers(), null);
FramepostClient client = FramepostClient.builder(url, "a").timeout(Duration.ofMillis(500))
    .configure(http -> http.sslContext(context)).build();
"""


@contextmanager
def hung(tls: bool, start: bytes = b"") -> Iterator[int]:
    """Give the port of a server that reads nothing, and drips after `start` if there is one."""
    ended = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    def handle(connection: socket.socket, _number: int) -> None:
        if not tls:
            ended.wait(60)
            return
        with suppress(OSError), context.wrap_socket(connection.dup(), server_side=True) as line:
            line.sendall(start)
            while not ended.wait(0.05):
                line.sendall(start and b"x")

    with RawServer(handle) as server:
        try:
            yield server.port
        finally:
            ended.set()
