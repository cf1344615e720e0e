"""Handshake: from a fresh connection to a camera that plays (RFC 2326, 10)."""

from __future__ import annotations

from dataclasses import dataclass

from sender.rtsp.conversation import Conversation
from sender.rtsp.message import Reply, Unusual
from sender.rtsp.ports import Ports
from sender.rtsp.sdp import Description, VideoTrack, base_of
from sender.rtsp.transport import SessionName, Transport
from sender.sources.contract import Reason, SourceError

#: The channels that are asked for; the server may choose others.
_CHANNELS = (0, 1)
_SENTENCES: dict[int, tuple[Reason, str]] = {
    403: ("auth", "the server forbids it (403)"),
    404: ("not_found", "the server has nothing under this path (404)"),
    410: ("not_found", "the server has nothing under this path any more (410)"),
    429: ("refused", "the server is overloaded and said so (429)"),
    453: ("format", "the server has no bandwidth left for it (453)"),
    461: ("format", "the server does not send it over {way} (461)"),
}
#: Said of anything but DESCRIBE, these mean no URL that we may have put together wrongly.
_PLAIN = (403, 429, 453, 461)


@dataclass(frozen=True, slots=True)
class Handshake:
    """The steps, to be made in this order, all of them by `until` (monotonic seconds).

    Each raises SourceError, TimeoutError and what the line raises; Unusual where FFmpeg, which
    puts URLs together in its own way and follows redirects, may have more luck.
    """

    talk: Conversation
    #: What is asked for, without user and password.
    url: str
    name: str
    until: float

    def learn_methods(self) -> frozenset[str]:
        """OPTIONS: return the methods that the server knows; none when it does not say."""
        said = self.talk.ask("OPTIONS", self.url, until=self.until).headers.get("public", ())
        return frozenset(word.strip().upper() for line in said for word in line.split(","))

    def describe(self) -> Description:
        """DESCRIBE: return what there is to see."""
        reply = self._ask("DESCRIBE", self.url, {"Accept": "application/sdp"})
        headers = (reply.header("content-base"), reply.header("content-location"))
        base = base_of(self.url, headers)
        description = Description.parse(reply.body.decode("utf-8", "replace"), base=base)
        if description is None:
            raise SourceError(f"{self.name}: there is no video in it", reason="format")
        return description

    def set_up_tcp(self, track: VideoTrack) -> tuple[int, int]:
        """SETUP: return the channels that RTP and RTCP will come on."""
        wish = f"RTP/AVP/TCP;unicast;interleaved={_CHANNELS[0]}-{_CHANNELS[1]}"
        return self._set_up(track, wish, over_tcp=True).channels or _CHANNELS

    def set_up_udp(self, track: VideoTrack, ports: Ports, host: str) -> None:
        """SETUP: have the camera at `host` send to `ports`."""
        rtp, rtcp = ports.numbers
        wish = f"RTP/AVP;unicast;client_port={rtp}-{rtcp}"
        way = self._set_up(track, wish, over_tcp=False)
        ports.meet(host, way.source, way.server_ports)

    def play(self, url: str) -> None:
        """PLAY: have it begin. Some cameras want to be told where."""
        self._name_session(self._ask("PLAY", url, {"Range": "npt=0.000-"}))

    def _set_up(self, track: VideoTrack, wish: str, *, over_tcp: bool) -> Transport:
        reply = self._ask("SETUP", track.control, {"Transport": wish})
        self._name_session(reply)
        header = reply.header("transport")
        way = Transport.parse(header) if header else Transport(over_tcp=over_tcp)
        if way is None or way.over_tcp != over_tcp or way.is_multicast:
            raise Unusual(f"asked for {wish.partition(';')[0]!r}, it chose {header[:60]!r}")
        return way

    def _name_session(self, reply: Reply) -> None:
        self.talk.session = SessionName.parse(reply.header("session")) or self.talk.session

    def _ask(self, method: str, url: str, headers: dict[str, str]) -> Reply:
        reply = self.talk.ask(method, url, headers, until=self.until)
        if not 200 <= reply.status < 300:
            raise self._refusal(method, reply, headers.get("Transport", ""))
        return reply

    def _refusal(self, method: str, reply: Reply, wish: str) -> SourceError | Unusual:
        said = f"{reply.status} {reply.reason}".strip()
        reason: Reason = "format"
        sentence = f"the server did not take the request ({said})"
        is_plain = method == "DESCRIBE" or reply.status in _PLAIN
        if reply.status >= 500 and reply.status != 551:
            reason, sentence = "refused", f"the server is overloaded or broken and said so ({said})"
        elif not (is_plain and 400 <= reply.status < 500):
            return Unusual(f"the server did not take {method} ({said})")
        elif reply.status in _SENTENCES:
            reason, sentence = _SENTENCES[reply.status]
        way = "TCP" if "/TCP" in wish else "UDP"
        return SourceError(f"{self.name}: {sentence.replace('{way}', way)}", reason=reason)
