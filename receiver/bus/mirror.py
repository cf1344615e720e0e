"""Mirror: the cameras of the other receivers, and the pictures of those that somebody watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from redis.exceptions import RedisError

from receiver.books import Books, Elsewhere
from receiver.bus import keys, scripts
from receiver.bus.link import PATIENCE, BusDown, Client, Link
from receiver.bus.members import Facts, Members
from receiver.bus.messages import Garbage, read_frame
from receiver.camera import Camera
from receiver.hub import Hub
from shared.errors import FrameError
from shared.frame import EncodedFrame, check_camera
from shared.worker import Worker

#: Seconds between two looks at who is watched.
_LOOK = 0.1


def describe(hub: Hub) -> dict[str, Facts]:
    """Return what the other receivers are told of this one's cameras."""
    found = ((camera, camera.order.newest) for camera in hub.cameras())
    return {camera.name: _facts(camera, frame) for camera, frame in found if frame is not None}


def _facts(camera: Camera, frame: EncodedFrame) -> Facts:
    return {
        "books": asdict(camera.books()),
        "fps": round(camera.arrivals.per_second(), 2),
        "viewers": camera.viewers,
        "idle": round(camera.own_age(), 3),
        "epoch": frame.epoch,
        "seq": frame.seq,
        "width": frame.width,
        "height": frame.height,
        "still": camera.own_still,
    }


class Mirror(Worker):
    """Keeps each camera's `elsewhere`, and gives the hub's viewers the frames of watched cameras
    that come to other receivers. Nobody's frames are fetched whom nobody looks at.
    """

    def __init__(self, hub: Hub, link: Link, members: Members) -> None:
        super().__init__("bus mirror")
        self._hub = hub
        self._link = link
        self._members = members
        self._subscription: Any = None
        #: The cameras whose channels it hears, by the channel.
        self._heard: dict[bytes, Camera] = {}

    def hear(self) -> None:
        """Enter what the others say of their cameras; called on the members' thread."""
        known: dict[str, Elsewhere] = {}
        now = time.monotonic()
        for facts in self._members.others():
            for name, told in facts["cameras"].items():
                there = _elsewhere(name, told, now)
                if there is not None:
                    known[name] = there if name not in known else known[name] + there
        for name in known:
            self._hub.meet(name)
        for camera in self._hub.cameras():
            camera.elsewhere = known.get(camera.name)

    def step(self) -> None:
        if not self._link.wait(PATIENCE):
            self._drop()
            return
        try:
            self._link.call(self._listen)
        except BusDown:
            self._drop()

    def close(self) -> None:
        self._drop()

    def _wanted(self) -> Iterator[Camera]:
        for camera in self._hub.cameras():
            if camera.is_newer_elsewhere() and camera.is_watched():
                yield camera

    def _listen(self, client: Client) -> None:
        wanted = {keys.shown(camera.name).encode(): camera for camera in self._wanted()}
        new, old = wanted.keys() - self._heard.keys(), self._heard.keys() - wanted.keys()
        if self._subscription is None:
            if not new:
                self.pause(_LOOK)
                return
            self._subscription = client.pubsub(ignore_subscribe_messages=True)
        if new:
            self._subscription.subscribe(*new)
        if old:
            self._subscription.unsubscribe(*old)
        self._heard = wanted
        for channel in new:
            self._fetch(client, wanted[channel])
        if not wanted:
            self.pause(_LOOK)
            return
        told: set[bytes] = set()
        message = self._subscription.get_message(timeout=_LOOK)
        while message is not None:  # of several only the newest frame is there
            told.add(message["channel"])
            message = self._subscription.get_message(timeout=0)
        for channel in told & wanted.keys():
            self._fetch(client, wanted[channel])

    def _fetch(self, client: Client, camera: Camera) -> None:
        found = client.register_script(scripts.PEEK)(keys=[keys.frame(camera.name)])
        if found:
            facts, data, waited = found
            with suppress(Garbage):
                camera.show(read_frame(facts, data, waited / 1e6))

    def _drop(self) -> None:
        subscription, self._subscription = self._subscription, None
        self._heard = {}
        if subscription is not None:
            with suppress(RedisError, OSError):
                subscription.close()


def _elsewhere(name: str, told: dict[str, Any], now: float) -> Elsewhere | None:
    """Return what another receiver says of a camera; None where another version says it."""
    try:
        check_camera(name)
        numbers = Books(**{key: int(number) for key, number in told["books"].items()})
        return Elsewhere(
            books=numbers,
            fps=float(told["fps"]),
            viewers=int(told["viewers"]),
            idle=float(told["idle"]),
            epoch=str(told["epoch"]),
            seq=int(told["seq"]),
            width=int(told["width"]),
            height=int(told["height"]),
            heard=now,
            still=bool(told.get("still")),  # a receiver of a version before says nothing of it
        )
    except (FrameError, TypeError, KeyError, ValueError, AttributeError):
        return None
