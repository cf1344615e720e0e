"""Members: who is on the bus, heard twice a second; the beat also tells whether Redis works."""

from __future__ import annotations

import json
import logging
import math
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from receiver.bus import keys, scripts
from receiver.bus.link import BusDown, Client, Link
from receiver.hooking.hook_worker import UP
from shared.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds between two beats, and without one until a member is gone.
BEAT = 0.5
GONE_AFTER = 2.5

Facts = Mapping[str, Any]


def make_name() -> str:
    """Return a name that no other process has, by which people know the host."""
    host = "".join(c for c in socket.gethostname() if c.isalnum() or c in "-_")[:32]
    return f"{host or 'host'}-{secrets.token_hex(4)}"


class Members(Worker):
    """Says twice a second what this process has, and hears what the others have.

    What it says is `{"cameras": {name: facts}, "hooks": [facts of a worker], "timeout": seconds}`.
    """

    def __init__(
        self, link: Link, name: str, describe: Callable[[], Facts], *, beat: float = BEAT
    ) -> None:
        super().__init__("bus members")
        self.me = name
        self._link = link
        self._describe = describe
        self._beat = beat
        self._era: bytes | None = None
        self._heard: Callable[[], None] = lambda: None
        self._lost: Callable[[], None] = lambda: None
        #: By name, this one among them; replaced whole.
        self.all: Mapping[str, Facts] = {}

    def listen(self, *, heard: Callable[[], None], lost: Callable[[], None]) -> None:
        """Call `heard` after each beat, `lost` when Redis has forgotten all that it had."""
        self._heard, self._lost = heard, lost

    def step(self) -> None:
        told = json.dumps(self._describe(), separators=(",", ":"))
        try:
            found = self._link.probe(lambda client: self._say(client, told))
        except BusDown:
            self.pause(self._beat)
            return
        era, *pairs = found
        members = zip(pairs[::2], map(_read, pairs[1::2]), strict=True)
        self.all = {
            name.decode(errors="replace"): facts for name, facts in members if facts is not None
        }
        if self._era is not None and era != self._era:
            logger.warning("bus %s: began anew; the frames in it are lost", self._link.shown)
            self._lost()
        self._era = era
        self._heard()
        self.pause(self._beat)

    def close(self) -> None:
        """Say goodbye, so that nobody waits for this one."""
        if self._link.is_up:
            try:
                self._link.call(lambda client: client.hdel(keys.MEMBERS, self.me))
            except BusDown:
                logger.debug("bus: gone before the goodbye")

    def others(self) -> Iterator[Facts]:
        """Yield what each of the others has."""
        return (facts for name, facts in self.all.items() if name != self.me)

    def hooks(self) -> Iterator[Facts]:
        """Yield the facts of every hook's worker, wherever it is."""
        for facts in self.all.values():
            yield from facts["hooks"]

    def hook_of(self, camera: str) -> str | None:
        """Return which hook's workers get the camera's frames, as keys have it; None for nobody."""
        there = {hook["camera"] for hook in self.hooks()}
        return camera if camera in there else "*" if "*" in there else None

    def is_ready(self, camera: str) -> bool:
        """Say whether a worker would take the camera's frames now."""
        wanted = self.hook_of(camera)
        return any(h["camera"] == wanted and h["state"] in UP for h in self.hooks())

    def share(self, hook: str, seat: str, held: int) -> int:
        """Return how many cameras each worker of a stateful hook is to have at most.

        Of all that are held: `held` by the worker at `seat`, by the others as they last said.
        """
        others = [
            each
            for each in self.hooks()
            if each["camera"] == hook and each["state"] in UP and each["seat"] != seat
        ]
        total = held + sum(int(each["leases"]) for each in others)
        return math.ceil(total / (1 + len(others)))

    def seats(self, hook: str) -> set[str]:
        """Return the names of the workers of a hook."""
        return {each["seat"] for each in self.hooks() if each["camera"] == hook}

    def patience(self) -> float:
        """Return the seconds that a hook may have for a frame, wherever it runs."""
        return max((facts["timeout"] for facts in self.all.values()), default=0.0)

    def _say(self, client: Client, told: str) -> list[bytes]:
        beat = client.register_script(scripts.BEAT)
        gone_after = round(GONE_AFTER * 1e6)
        found: list[bytes] = beat(
            keys=[keys.MEMBERS, keys.ERA],
            args=[self.me, told, gone_after, secrets.token_hex(8)],
        )
        return found


def _read(told: bytes) -> Facts | None:
    """Return what a member says, with all that is asked of it here; None for what is no member's.

    What a later version says besides stays unheard.
    """
    try:
        facts = json.loads(told)
        hooks = [
            {**hook, "leases": int(hook["leases"])}
            for hook in facts["hooks"]
            if all(isinstance(hook[name], str) for name in ("camera", "state", "seat"))
        ]
        return {
            "cameras": dict(facts["cameras"]),
            "hooks": hooks,
            "timeout": float(facts["timeout"]),
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
