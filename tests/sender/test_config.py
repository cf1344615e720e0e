from __future__ import annotations

from pathlib import Path

import pytest

from sender.config import CameraConfig, SenderConfig
from shared.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cameras.yaml"


def problems(*argv: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        SenderConfig.load(argv)
    return caught.value.problems


def test_one_camera_needs_only_a_source() -> None:
    (camera,) = SenderConfig.load(["--source", "testsrc"]).each_camera()

    assert (camera.camera, camera.source) == ("cam1", "testsrc")
    assert camera.to == "http://127.0.0.1:8000"
    assert (camera.quality, camera.depth, camera.fps, camera.pixels) == (80, 1, None, None)


def test_a_camera_is_told_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDER_SOURCE", "0")
    monkeypatch.setenv("SENDER_SIZE", "640x360")
    monkeypatch.setenv("SENDER_FPS", "")
    monkeypatch.setenv("SENDER_LOOP", "true")
    (camera,) = SenderConfig.load([]).each_camera()

    assert (camera.source, camera.pixels, camera.fps, camera.loop) == ("0", (640, 360), None, True)


def test_cameras_take_what_they_do_not_say_from_the_settings_outside(file: Path) -> None:
    file.write_text(
        "quality: 60\nto: http://h:1\n"
        "cameras:\n"
        "- {camera: a, source: 0}\n"
        "- {camera: b, source: clip.mp4, quality: 90, keep-corrupt: true, to: 'http://h:2/x'}\n"
        "- {camera: 3, source: testsrc, fps: 5}\n"
    )
    a, b, c = SenderConfig.load(["--config", str(file), "--depth", "4"]).each_camera()

    assert (a.camera, a.source, a.quality, a.to, a.depth) == ("a", "0", 60, "http://h:1", 4)
    assert (b.quality, b.keep_corrupt, b.to, b.depth) == (90, True, "http://h:2/x", 4)
    assert (c.camera, c.fps, c.keep_corrupt) == ("3", 5, False)


def test_a_token_reaches_every_camera_and_no_repr(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDER_TOKEN", "canary")
    file.write_text("cameras:\n- {camera: a, source: 0}\n- {camera: b, source: 1, token: own}\n")
    config = SenderConfig.load(["--config", str(file)])
    a, b = config.each_camera()

    assert a.token is not None
    assert a.token.get_secret_value() == "canary"
    assert b.token is not None
    assert b.token.get_secret_value() == "own"
    assert "canary" not in repr(config) + repr(a)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), "SENDER_SOURCE: expected a URL, a file, a folder, a device number or testsrc"),
        (("--source", ""), "SENDER_SOURCE: expected a URL"),
        (
            ("--quality", "high"),
            "SENDER_QUALITY: expected a whole number from 1 to 100, got 'high'",
        ),
        (("--quality", "0"), "SENDER_QUALITY: expected a whole number from 1 to 100, got '0'"),
        (("--size", "1280"), "SENDER_SIZE: expected WIDTHxHEIGHT, each from 2 to 16384"),
        (("--size", "0x0"), "SENDER_SIZE: expected WIDTHxHEIGHT"),
        (("--size", "²x²"), "SENDER_SIZE: expected WIDTHxHEIGHT"),
        (("--fps", "0"), "SENDER_FPS: expected frames a second, above 0"),
        (("--fps", "nan"), "SENDER_FPS: expected frames a second, above 0"),
        (("--to", "h:8000"), "SENDER_TO: expected http://HOST:PORT, https://HOST:PORT, redis"),
        (("--to", "http://a..b:8000"), "SENDER_TO: expected http://HOST:PORT"),
        (("--camera", "a/b"), "SENDER_CAMERA: expected 1 to 64 letters, digits"),
        (("--depth", "0"), "SENDER_DEPTH: expected a whole number from 1 to 1000"),
        (("--deadline", "-1"), "SENDER_DEADLINE: expected seconds above 0"),
        (("--status-port", "70000"), "SENDER_STATUS_PORT: expected a port from 0"),
        (("--pace", "slow"), "SENDER_PACE: expected source or fast, got 'slow'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(argv: tuple[str, ...], expected: str) -> None:
    given = () if "--source" in argv or not argv else ("--source", "testsrc")
    found = problems(*given, *argv)

    assert len(set(found)) <= 2
    assert found[-1].startswith(expected)


def test_everything_wrong_with_cameras_is_told_together(file: Path) -> None:
    file.write_text(
        "cameras:\n"
        "- {camera: a, source: testsrc, quality: 200}\n"
        "- {camera: a, source: 0, colour: red}\n"
        "- {source: 'rtsp://u:canary@h/', to: 'ftp://u:canary@h'}\n"
        "- {camera: d, token: 'can ary'}\n"
    )

    found = problems("--config", str(file))

    assert [problem.partition(":")[0] for problem in found] == [
        "cameras.0.quality",
        "cameras.1.colour",
        "cameras.2.to",
        "cameras.3.token",
        "cameras.0.camera",
        "cameras.1.camera",
        "cameras.2.camera",
        "cameras.3.source",
    ]
    assert not [problem for problem in found if "canary" in problem or "can ary" in problem]
    assert "got 'ftp://***@h'" in found[2]


@pytest.mark.parametrize("names", [("1", "'1'"), ("[a]", "[a]"), ("a", "a")])
def test_a_cameras_name_is_its_own_however_it_is_written(
    file: Path, names: tuple[str, str]
) -> None:
    file.write_text("cameras:\n" + "".join(f"- {{camera: {n}, source: testsrc}}\n" for n in names))

    found = problems("--config", str(file))

    assert [problem.partition(":")[0] for problem in found[-2:]] == [
        "cameras.0.camera",
        "cameras.1.camera",
    ]


def test_a_password_in_a_source_is_in_no_error() -> None:
    found = problems("--source", "rtsp://u:canary@h/", "--to", "rtsp://u:canary@h/")

    assert "canary" not in "".join(found)
    assert "***" in found[0]


def test_every_setting_of_a_camera_says_what_it_is_for() -> None:
    fields = CameraConfig.model_fields | SenderConfig.model_fields

    assert [name for name, field in fields.items() if not field.description] == []
