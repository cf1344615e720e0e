"""BusFeeds: gives hooks their frames from the bus, as `HubFeeds` does from the hub."""

from __future__ import annotations

from collections.abc import Callable

from receiver.bus.link import Link
from receiver.bus.members import Members
from receiver.bus.returns import Returns
from receiver.bus.seat import Held, Seat
from receiver.hooking.schedule import Task


class BusFeed:
    """One hook's frames: a seat on the bus for each of its workers.

    The newest waiting frame of any camera goes to any free worker, the camera that waited longest
    first. With `stateful` a camera keeps to one seat, for as long as that renews its lease.
    """

    def __init__(self, hook: str, *, link: Link, members: Members, returns: Returns) -> None:
        self.stateful = False
        self._hook = hook
        self._link = link
        self._members = members
        self._returns = returns
        self.seats: list[Seat] = []

    def seat(self, wake: Callable[[], None]) -> int:
        number = len(self.seats)
        seat = Seat(
            f"{self._members.me}.{self._hook}.{number + 1}",
            self._hook,
            link=self._link,
            members=self._members,
            returns=self._returns,
            wake=wake,
            is_stateful=lambda: self.stateful,
        )
        self.seats.append(seat)
        return number

    def take(self, worker: int) -> Task | None:
        return self.seats[worker].take()

    def done(self, task: Task) -> None:
        assert isinstance(task.camera, Held)
        task.camera.seat.done()

    def leave(self, worker: int) -> None:
        self.seats[worker].leave()


class BusFeeds:
    """The feeds of all hooks of this process."""

    def __init__(self, link: Link, members: Members) -> None:
        self._link = link
        self._members = members
        self.returns = Returns(link)
        self._feeds: list[BusFeed] = []

    @property
    def seats(self) -> list[Seat]:
        """Every worker's, in the order in which the workers were made."""
        return [seat for feed in self._feeds for seat in feed.seats]

    @property
    def error(self) -> BaseException | None:
        """The bug that ended a thread, if one did."""
        return next((each.error for each in (self.returns, *self.seats) if each.error), None)

    def feed(self, hook_camera: str | None) -> BusFeed:
        feed = BusFeed(
            hook_camera or "*", link=self._link, members=self._members, returns=self.returns
        )
        self._feeds.append(feed)
        return feed

    def start(self) -> None:
        self.returns.start()
        for seat in self.seats:
            seat.start()

    def stop(self) -> None:
        """Hand back what was not begun, then bring the last results."""
        for seat in self.seats:
            seat.ask_to_stop()
        for seat in self.seats:
            seat.stop()
        self.returns.stop()
