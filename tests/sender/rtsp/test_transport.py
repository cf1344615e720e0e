"""The headers that SETUP is answered with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sender.rtsp.transport import SessionName, Transport


@pytest.mark.parametrize(
    ("header", "transport"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=2-3", Transport(True, channels=(2, 3))),
        ("rtp/avp/tcp; Interleaved = 4 ;mode=play", Transport(True, channels=(4, 5))),
        ("RTP/AVP/TCP;interleaved=255", Transport(True)),
        ("RTP/AVP/TCP;interleaved=1-1", Transport(True)),
        ("RTP/AVP/TCP;interleaved=0-300", Transport(True)),
        ("RTP/AVP/TCP,RTP/AVP;multicast", Transport(True)),
        (
            "RTP/AVP;unicast;client_port=4-5;server_port=6000-6001;source=10.0.0.7;ssrc=1",
            Transport(False, server_ports=(6000, 6001), source="10.0.0.7"),
        ),
        ('RTP/AVP/UDP;server_port=0-0;source=""', Transport(False)),
        ("RTP/AVP;multicast;port=5-6", Transport(False, is_multicast=True)),
        ("RTP/SAVP;unicast", None),
        ("", None),
    ],
)
def test_a_way_is_read(header: str, transport: Transport | None) -> None:
    assert Transport.parse(header) == transport


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("abc", SessionName("abc", 60.0)),
        ("abc;timeout=15", SessionName("abc", 15.0)),
        ("abc ; Timeout = 15 ; x", SessionName("abc", 15.0)),
        ("abc;timeout=0", SessionName("abc", 60.0)),
        ("abc;timeout=soon", SessionName("abc", 60.0)),
        (";timeout=15", None),
        ("", None),
    ],
)
def test_a_session_is_read(header: str, name: SessionName | None) -> None:
    assert SessionName.parse(header) == name


@given(st.text(max_size=200))
def test_any_text_is_read(header: str) -> None:
    Transport.parse(header)
    Transport.parse(f"RTP/AVP;server_port={header}")
    SessionName.parse(header)
