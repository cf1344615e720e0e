"""Outlet: brings the hub's frames to Redis, the newest of each camera."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import partial

from receiver.bus import keys, messages, scripts
from receiver.bus.link import PATIENCE, BusDown, Client, Link
from receiver.bus.members import Members
from receiver.bus.messages import FrameId, Garbage
from receiver.bus.outstanding import Outstanding
from receiver.bus.tokens import ring
from receiver.camera import Camera
from receiver.hub import Hub
from receiver.region import SharedFrame
from shared.errors import FrameError
from shared.frame import EncodedFrame
from shared.worker import Worker

#: Seconds until workers are told once more of a frame that still waits: whoever was told first may
#: have died with it, or nobody was there.
_REMIND = 1.0


class Outlet(Worker):
    """Takes from each camera's `pending`, whichever waits longest first, and owes each frame its
    result from then on. While the bus is down it takes nothing, and newer frames take the places of
    older ones in the hub.
    """

    def __init__(self, hub: Hub, link: Link, members: Members, outstanding: Outstanding) -> None:
        super().__init__("bus outlet")
        self._hub = hub
        self._link = link
        self._members = members
        self._outstanding = outstanding
        self._changed = threading.Condition()
        #: Cameras that have a frame, in order of how long.
        self._waiting: dict[str, Camera] = {}
        self._remind_at = 0.0
        #: Cameras of which a worker was told since one is known. A frame that replaces one that
        #: waits is told of by itself only where nobody was: while frames keep coming none waits for
        #: long enough to be told again.
        self._told: set[str] = set()
        #: Frames that Redis did not take.
        self.lost = 0

    def open(self) -> None:
        self._hub.listen(self._offer)
        for camera in self._hub.cameras():
            self._offer(camera)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def step(self) -> None:
        if not self._link.wait(PATIENCE):
            return
        self._remind()
        with self._changed:
            if not self._waiting and not self.stopping:
                self._changed.wait(PATIENCE)
            if not self._waiting:
                return
            name = next(iter(self._waiting))
            camera = self._waiting.pop(name)
        turn = camera.pending.hand_over()
        if turn is None:
            return
        if len(camera.pending):
            self._offer(camera)
        frame, every = turn
        self._publish(camera, frame, every)

    def _offer(self, camera: Camera) -> None:
        with self._changed:
            self._waiting[camera.name] = camera
            self._changed.notify()

    def _publish(self, camera: Camera, frame: EncodedFrame, every: bool) -> None:
        number = self._outstanding.add(camera, frame, every=every)
        frame_id = FrameId(self._members.me, number)
        try:
            facts, data = messages.write_frame(frame)
            send = self._keep if every else self._replace
            self._link.call(lambda client: send(client, frame, frame_id, facts, data))
        except (BusDown, FrameError) as exc:
            self.lost += 1
            debt = self._outstanding.pop(number)
            if debt is not None:
                debt.fail(str(exc))
        finally:
            if isinstance(frame, SharedFrame):
                frame.region.close()  # or its owner's memory would be kept as long as the result

    def _replace(
        self, client: Client, frame: EncodedFrame, frame_id: FrameId, facts: bytes, data: bytes
    ) -> None:
        """Make it the camera's newest."""
        camera = frame.camera
        publish = client.register_script(scripts.PUBLISH)
        replaced, ring, holder = publish(
            keys=[keys.frame(camera), keys.lease(camera)],
            args=[
                *(
                    str(frame_id),
                    frame.epoch,
                    str(frame.seq),
                    facts,
                    data,
                    round(keys.FRAME_STAYS * 1000),
                ),
                keys.shown(camera),
            ],
        )
        if replaced == b"late":
            self._supersede(client, camera, frame_id)
            return
        if replaced:
            with suppress(Garbage):
                self._supersede(client, camera, FrameId.parse(replaced.decode(errors="replace")))
        if ring or camera not in self._told:
            self._ring(client, camera, holder)

    def _keep(
        self, client: Client, frame: EncodedFrame, frame_id: FrameId, facts: bytes, data: bytes
    ) -> None:
        """Let it wait until it is processed."""
        key = keys.kept_frame(frame.camera, str(frame_id))
        keep = client.register_script(scripts.KEEP)
        holder = keep(
            keys=[key, keys.lease(frame.camera)],
            args=[str(frame_id), facts, data, round(keys.FRAME_STAYS * 1000)],
        )
        self._ring(client, frame.camera, holder, key=key)

    def _supersede(self, client: Client, camera: str, frame_id: FrameId) -> None:
        if frame_id.receiver != self._members.me:
            told = messages.write_outcome(frame_id, camera, None)
            stay = round(keys.RESULT_STAYS * 1000)
            client.register_script(scripts.TELL)(keys=[keys.RESULTS], args=[told, stay])
            return
        debt = self._outstanding.pop(frame_id.number)
        if debt is not None:
            debt.supersede()

    def _ring(self, client: Client, camera: str, holder: bytes, *, key: str = "") -> None:
        hook = self._members.hook_of(camera)
        if hook is None:
            self._told.discard(camera)
            return
        ring(client, hook, camera, holder=holder.decode(), key=key)
        if not key:
            self._told.add(camera)

    def _remind(self) -> None:
        """Now and then: tell workers once more of frames that wait for long."""
        now = time.monotonic()
        if now < self._remind_at:
            return
        self._remind_at = now + _REMIND
        self._told.intersection_update(camera.name for camera in self._hub.cameras())
        for number, debt in self._outstanding.older(_REMIND):
            frame_id = FrameId(self._members.me, number)
            camera = debt.camera.name
            key = keys.kept_frame(camera, str(frame_id)) if debt.every else ""
            with suppress(BusDown):
                self._link.call(partial(self._tell_again, frame_id, camera, key))

    def _tell_again(self, frame_id: FrameId, camera: str, key: str, client: Client) -> None:
        there, waiting = client.hmget(key or keys.frame(camera), "id", "waiting")
        if there == str(frame_id).encode() and waiting == b"1":
            self._ring(client, camera, client.get(keys.lease(camera)) or b"", key=key)
