"""HTTPS, and clients that are known by their certificates, with the real server."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from receiver.tls import read_tls
from shared.errors import ConfigError
from shared.http_client import HttpClient, NoReply
from tests.certificates import Authority
from tests.conftest import MakeFrame
from tests.program import Program, Receiver


@dataclass(frozen=True)
class Files:
    ca: Path
    server: tuple[Path, Path]
    client: tuple[Path, Path]
    #: Signed by nobody that counts.
    stranger: tuple[Path, Path]
    strangers_ca: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    ours, others = Authority(folder), Authority(folder, "others")
    return Files(
        ours.cert, ours.sign("server"), ours.sign("client"), others.sign("stranger"), others.cert
    )


def options(files: Files, *more: object) -> list[str]:
    cert, key = files.server
    return [*map(str, ("--tls-cert", cert, "--tls-key", key, *more))]


def ask(port: int, files: Files, shown: tuple[Path, Path] | None = None) -> int:
    context = ssl.create_default_context(cafile=files.ca)
    if shown is not None:
        context.load_cert_chain(*shown)
    client = HttpClient("127.0.0.1", port, tls=True, context=context)
    try:
        return client.get("/healthz", {}).status
    finally:
        client.close()


def test_with_a_certificate_it_speaks_https_alone(files: Files) -> None:
    with Receiver(*options(files)) as receiver:
        receiver.wait_for(rf"see https://127\.0\.0\.1:{receiver.port}/")
        assert ask(receiver.port, files) == 200
        plain = HttpClient("127.0.0.1", receiver.port)
        with pytest.raises(NoReply):
            plain.get("/healthz", {})
        plain.close()
        assert "Traceback" not in receiver.output
        assert "ERROR" not in receiver.output


@pytest.mark.parametrize(("least", "spoken"), [("1.2", "TLSv1.2"), ("1.3", None)])
def test_the_oldest_version_is_a_setting(files: Files, least: str, spoken: str | None) -> None:
    context = ssl.create_default_context(cafile=files.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        Receiver(*options(files, "--tls-min", least)) as receiver,
        socket.create_connection(("127.0.0.1", receiver.port), 5) as sock,
    ):
        try:
            with context.wrap_socket(sock, server_hostname="127.0.0.1") as line:
                version = line.version()
        except ssl.SSLError:
            version = None
    assert version == spoken


def test_who_has_no_certificate_of_ours_is_not_let_in(files: Files) -> None:
    with Receiver(*options(files, "--tls-client-ca", files.ca)) as receiver:
        assert ask(receiver.port, files, files.client) == 200
        with pytest.raises(NoReply) as nobody:
            ask(receiver.port, files)
        with pytest.raises(NoReply) as stranger:
            ask(receiver.port, files, files.stranger)

    assert str(nobody.value) == "it lets in only clients with a certificate"
    assert nobody.value.reason == stranger.value.reason == "tls"


@pytest.mark.parametrize("transport", ["post", "stream"])
def test_our_sender_and_our_receiver_know_each_other(files: Files, transport: str) -> None:
    cert, key = files.client
    with (
        Receiver(
            *options(files, "--tls-client-ca", files.ca), "--hook", "hooks.brightness:process"
        ) as receiver,
        Program(
            *("sender", "--source", "testsrc", "--size", "160x120", "--fps", "10"),
            *("--to", f"https://127.0.0.1:{receiver.port}", "--transport", transport),
            *("--tls-ca", str(files.ca), "--tls-cert", str(cert), "--tls-key", str(key)),
        ) as sender,
    ):
        sender.wait_for(r"posted=[1-9]\d* .*failed=0", seconds=30)


def test_a_receiver_that_our_sender_does_not_trust_gets_nothing(
    files: Files, make_frame: MakeFrame
) -> None:
    with Receiver(*options(files)) as receiver:
        with Program(
            *("sender", "--source", "testsrc", "--size", "160x120"),
            *("--to", f"https://127.0.0.1:{receiver.port}", "--tls-ca", str(files.strangers_ca)),
        ) as sender:
            sender.wait_for(r"its certificate is not trusted")
        assert "camera" not in receiver.output


def test_files_that_do_not_fit_are_said_in_a_sentence(files: Files, tmp_path: Path) -> None:
    (cert, key), (_, other) = files.server, files.client
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense", encoding="utf-8")
    wrong = {
        "tls_key: expected a file beside the others": (cert, None, None),
        "tls_cert: expected a file beside the others": (None, key, None),
        "tls_cert: expected a PEM file, got '/nowhere'": (Path("/nowhere"), key, None),
        "tls_key: expected the key of the certificate": (cert, other, None),
        "unencrypted PEM": (nonsense, key, None),
        "tls_client_ca: expected a PEM file of certificates": (cert, key, nonsense),
    }

    for sentence, (one, two, three) in wrong.items():
        with pytest.raises(ConfigError) as caught:
            read_tls(one, two, client_ca=three)
        assert sentence in str(caught.value)
    assert read_tls(None, None) is None


def test_a_client_ca_without_a_certificate_is_not_silently_http(files: Files) -> None:
    with pytest.raises(ConfigError, match="tls_cert"):
        read_tls(None, None, client_ca=files.ca)


def test_wrong_files_end_the_programs_with_2(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.pem")
    tried = [
        ("receiver", "--tls-cert", nowhere, "--tls-key", nowhere),
        ("sender", "--source", "testsrc", "--to", "https://h", "--tls-ca", nowhere),
        ("sender", "--source", "testsrc", "--to", "https://h", "--tls-cert", nowhere),
        ("sender", "--source", "testsrc", "--to", "http://h", "--tls-ca", ssl_file()),
    ]
    for command in tried:
        with Program(*command) as program:
            assert program.wait() == 2, program.output
        assert ("tls_" if command[0] == "receiver" else "sender: --tls-") in program.output
        assert "Traceback" not in program.output


def ssl_file() -> str:
    return str(Path(__file__).parent.parent / "shared" / "localhost.pem")
