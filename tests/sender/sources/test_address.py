"""URLs as people write them, taken apart."""

from __future__ import annotations

import pytest

from sender.sources.address import Address, parse
from shared.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("rtsp://cam/live", Address("rtsp", "cam", "/live")),
        ("RTSP://cam:554", Address("rtsp", "cam:554", "")),
        ("rtsp://cam/live@2", Address("rtsp", "cam", "/live@2")),
        ("rtsp://cam:554/live@2", Address("rtsp", "cam:554", "/live@2")),
        ("rtsp://cam?a=b@c", Address("rtsp", "cam", "?a=b@c")),
        ("rtsp://u:p@cam/live@2", Address("rtsp", "cam", "/live@2", "u", "p")),
        ("rtsp://[fe80::1]:554/x", Address("rtsp", "[fe80::1]:554", "/x")),
        ("rtsp://u:p@[fe80::1]/x", Address("rtsp", "[fe80::1]", "/x", "u", "p")),
        ("rtsp://u@cam/x", Address("rtsp", "cam", "/x", "u")),
        ("rtsp://u:@cam/x", Address("rtsp", "cam", "/x", "u", "")),
        ("rtsp://u:p%40%2F%25@cam/x", Address("rtsp", "cam", "/x", "u", "p@/%")),
        ("rtsp://u:p@ss@cam/x", Address("rtsp", "cam", "/x", "u", "p@ss")),
        ("rtsp://u:p/ss@cam/x", Address("rtsp", "cam", "/x", "u", "p/ss")),
        ("rtsp://u:p?s#s@cam/x", Address("rtsp", "cam", "/x", "u", "p?s#s")),
        ("rtsp://u:p@s/s@10.0.0.7/x", Address("rtsp", "10.0.0.7", "/x", "u", "p@s/s")),
        ("rtsp://u:p@s/s@cam:554/x", Address("rtsp", "cam:554", "/x", "u", "p@s/s")),
        ("rtsp://u:a:b@cam/x", Address("rtsp", "cam", "/x", "u", "a:b")),
    ],
)
def test_a_url_is_taken_apart(url: str, address: Address) -> None:
    assert parse(url) == address


@pytest.mark.parametrize(
    "url", ["rtsp://", "rtsp:///live", "rtsp://u:p@/x", "rtsp://cam:0/x", "rtsp://cam:99999/x",
            "rtsp://cam:port/x", "rtsp://cam..local/x", f"rtsp://{'c' * 64}.local/x",
            "rtsp://[::1/x", "rtsp://a b/x"],
)  # fmt: skip
def test_a_url_without_a_usable_host_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        parse(url)


def test_signs_in_a_password_are_escaped_for_whoever_connects() -> None:
    address = parse("rtsp://ad min:p@s/s:?@10.0.0.7/x")

    assert address.full == "rtsp://ad%20min:p%40s%2Fs%3A%3F@10.0.0.7/x"
    assert parse(address.full) == address


def test_no_form_for_people_shows_a_password() -> None:
    address = parse("rtsp://u:secret@cam/user=u_password=secret2_channel=1?token=secret3")

    for shown in (repr(address), str(address), address.shown, f"{address!r}"):
        assert "secret" not in shown
