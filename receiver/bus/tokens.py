"""Tokens: what says in Redis that a camera has a frame for a hook, as one worker reads it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from redis.exceptions import ResponseError

from receiver.bus import keys, scripts
from receiver.bus.link import Client
from receiver.bus.messages import FrameId, Garbage, read_frame
from shared.errors import FrameError
from shared.frame import EncodedFrame, check_camera

#: Seconds without a word after which a token's holder is taken for dead.
DEAD = 3.0
_AT_ONCE = 16
#: How many tokens a stream keeps at most; what is trimmed is told again.
_TOKENS = 4096
#: Seconds until the stream of a worker that says nothing is gone, and the notes of what was taken
#: from a camera whose frames nobody takes.
_STREAM_EXPIRY = 60
_NOTE_EXPIRY = 3600


@dataclass(frozen=True, slots=True)
class Token:
    """Says that a camera has a frame. Whoever holds it owes an outcome."""

    stream: str
    id: bytes
    camera: str
    #: Where the frame stands that is to be processed in any case; "" for the camera's newest.
    key: str

    @property
    def frame_key(self) -> str:
        return self.key or keys.frame(self.camera)


@dataclass(frozen=True, slots=True)
class Taken:
    """The frame that was taken for a token."""

    token: Token
    id: FrameId
    frame: EncodedFrame


class Tokens:
    """The streams of tokens for one hook, of which `own` is this worker's alone.

    For one thread. Redis's errors pass through; a ResponseError with NOGROUP means that it began
    anew, and `open` has to be called again.
    """

    def __init__(self, hook: str, seat: str) -> None:
        self.hook = hook
        self.seat = seat
        self.shared = keys.tokens(hook)
        self.own = keys.tokens(hook, seat)

    def open(self, client: Client, *, own: bool) -> None:
        """Make the consumer groups, and remove consumers that went long ago."""
        for stream in (self.shared, *([self.own] if own else [])):
            try:
                client.xgroup_create(stream, keys.GROUP, id="0", mkstream=True)
            except ResponseError as exc:
                if not str(exc).startswith("BUSYGROUP"):
                    raise
        if own:
            client.sadd(keys.seats(self.hook), self.seat)
            self.keep_own(client)
        for consumer in client.xinfo_consumers(self.shared, keys.GROUP):
            if consumer["pending"] == 0 and consumer["idle"] > _STREAM_EXPIRY * 1000:
                client.xgroup_delconsumer(self.shared, keys.GROUP, consumer["name"])

    def read(self, client: Client, *streams: str, block: float | None = None) -> list[Token]:
        """Return new tokens, one of each stream; with `block` wait so many seconds for one."""
        found = client.xreadgroup(
            *(keys.GROUP, self.seat, dict.fromkeys(streams, ">")),
            count=1,
            block=None if block is None else round(block * 1000),
        )
        tokens = []
        for stream, entries in found or []:
            for number, fields in entries:
                try:
                    tokens.append(_read(stream.decode(), number, fields))
                except Garbage:
                    client.xack(stream, keys.GROUP, number)
                    client.xdel(stream, number)
                    raise
        return tokens

    def take(self, client: Client, token: Token) -> Taken | None:
        """Take the frame that the token stands for; None, and the token is gone, for none."""
        found = client.register_script(scripts.TAKE)(
            keys=[token.frame_key, keys.taken(token.camera)],
            args=[token.id, _NOTE_EXPIRY * 1000],
        )
        if not found:
            self.put_away(client, token)
            return None
        number, facts, data, waited, again = found
        try:
            frame = read_frame(facts, data, waited / 1e6)
            return _taken(token, number, replace(frame, redelivered=True) if again else frame)
        except Garbage:
            self.put_away(client, token)
            raise

    def keep(self, client: Client, token: Token) -> None:
        """Say that its holder lives."""
        client.xclaim(*(token.stream, keys.GROUP, self.seat, 0, [token.id]), justid=True)

    def keep_own(self, client: Client, seconds: float = _STREAM_EXPIRY) -> None:
        """Let the own stream stand for so long."""
        client.expire(self.own, round(seconds))
        client.expire(keys.seats(self.hook), _NOTE_EXPIRY)

    def put_away(self, client: Client, token: Token) -> None:
        """Remove a token for which nothing is owed."""
        client.xack(token.stream, keys.GROUP, token.id)
        client.xdel(token.stream, token.id)
        client.hdel(keys.taken(token.camera), token.id)

    def put_back(self, client: Client, taken: Taken) -> None:
        """Let a frame wait again that has to be processed, and tell of it."""
        token = taken.token
        client.register_script(scripts.PUT_BACK)(keys=[token.frame_key], args=[str(taken.id)])
        self.pass_on(client, token)

    def pass_on(self, client: Client, token: Token) -> None:
        """Give the token to whoever may serve the camera."""
        self.put_away(client, token)
        holder = client.get(keys.lease(token.camera)) or b""
        ring(client, self.hook, token.camera, holder=holder.decode(), key=token.key)

    def claim(self, client: Client, stream: str) -> list[tuple[Token, Taken | None]]:
        """Take over what dead workers held, with what they had taken for it, without its bytes."""
        try:
            claimed = client.xautoclaim(
                *(stream, keys.GROUP, self.seat, round(DEAD * 1000)), count=_AT_ONCE
            )[1]
        except ResponseError as exc:
            if str(exc).startswith("NOGROUP"):  # it had no stream, or that is gone
                return []
            raise
        found: list[tuple[Token, Taken | None]] = []
        for number, fields in claimed:
            with suppress(Garbage):
                token = _read(stream, number, fields)
                held = client.hget(keys.taken(token.camera), token.id)
                if held is None:
                    found.append((token, None))
                    continue
                frame_id, _, facts = held.partition(b" ")
                found.append((token, _taken(token, frame_id, read_frame(facts, b"", 0.0))))
        return found

    def seats(self, client: Client) -> set[str]:
        """Return the workers that have, or had, a stream of their own."""
        return {seat.decode(errors="replace") for seat in client.smembers(keys.seats(self.hook))}

    def adopt(self, client: Client, seat: str) -> None:
        """Pass on what a worker that has gone had not even read; forget it with its stream."""
        stream = keys.tokens(self.hook, seat)
        if not client.exists(stream):
            client.srem(keys.seats(self.hook), seat)
            return
        # So often and no more: it may be back, and what is passed on come here again.
        for _ in range(client.xlen(stream)):
            for token in self.read(client, stream):
                self.pass_on(client, token)


def ring(client: Client, hook: str, camera: str, *, holder: str = "", key: str = "") -> None:
    """Tell a worker of the hook that the camera has a frame, which stands under `key` if given.

    `holder` is the only one that may serve the camera, if there is one.
    """
    stream = keys.tokens(hook, holder)
    client.register_script(scripts.RING)(
        keys=[stream, keys.told(stream)], args=[key or camera, camera, key, keys.GROUP, _TOKENS]
    )


def _taken(token: Token, frame_id: bytes, frame: EncodedFrame) -> Taken:
    return Taken(token, FrameId.parse(frame_id.decode(errors="replace")), frame)


def _read(stream: str, number: bytes, fields: dict[bytes, bytes]) -> Token:
    """Raise Garbage."""
    try:
        camera = check_camera(fields[b"camera"].decode())
        return Token(stream, number, camera, fields[b"key"].decode())
    except (KeyError, UnicodeDecodeError, FrameError):
        raise Garbage("bus: a token that is none of ours") from None
