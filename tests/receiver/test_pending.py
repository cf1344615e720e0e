"""What waits for a camera's hook, in which order, and what its callers are told."""

from __future__ import annotations

import pytest

from receiver.pending import Pending
from receiver.result import Result
from receiver.ticket import Ticket
from shared.errors import FrameError
from shared.frame import EncodedFrame


def frame(seq: int, epoch: str = "e1") -> EncodedFrame:
    return EncodedFrame(
        camera="cam1", epoch=epoch, seq=seq, captured_at=float(seq), data=b"", width=1, height=1
    )


def result_of(taken: EncodedFrame) -> Result:
    return Result(
        frame=taken, state="processed", picture=taken, queue=0.001, decode=0.002, hook=0.003
    )


@pytest.fixture
def pending() -> Pending:
    return Pending(limit=2)


def test_all_of_the_queue_come_before_the_newest_of_the_others(pending: Pending) -> None:
    live, queued = [frame(0), frame(3)], [frame(1), frame(2)]
    pending.put(live[0])
    for each in queued:
        pending.append(each)
    pending.put(live[1])
    assert (len(pending), pending.queued, pending.counts()) == (3, 2, (0, 1, 3))

    taken = [pending.take() for _ in range(4)]

    assert taken == [queued[0], queued[1], live[1], None]
    assert (len(pending), pending.queued, pending.counts()) == (0, 0, (3, 1, 0))


def test_who_waits_for_a_frame_is_told_what_became_of_it(pending: Pending) -> None:
    tickets = [Ticket() for _ in range(4)]
    for seq, ticket in enumerate(tickets):
        pending.put(frame(seq), ticket)
    assert [ticket.state for ticket in tickets] == ["superseded"] * 3 + [None]

    taken = pending.take()
    assert taken is not None
    result = result_of(taken)
    pending.settle(result)

    assert (tickets[3].state, tickets[3].result) == ("processed", result)


def test_a_frame_may_give_way_after_it_was_taken(pending: Pending) -> None:
    ticket, other = Ticket(), Ticket()
    pending.append(frame(0), ticket)
    pending.append(frame(1), other)
    for _ in range(2):
        taken = pending.hand_over()
        assert taken is not None
        pending.supersede(taken[0])

    assert (ticket.state, other.state) == ("superseded", "superseded")
    assert pending.counts() == (0, 2, 0)
    assert pending.queued == 0


def test_a_frame_that_no_hook_finished_may_come_again(pending: Pending) -> None:
    ticket = Ticket()
    pending.append(frame(0), ticket)
    taken = pending.take()
    assert taken is not None

    pending.abandon(taken, "the worker is gone")

    assert ticket.state == "closed"
    assert ticket.result is not None
    assert (ticket.result.error, ticket.result.frame) == ("the worker is gone", taken)
    assert not pending.repeat(frame(0), every=True)


def test_what_was_settled_stays_as_it_was_settled_first(pending: Pending) -> None:
    ticket = Ticket()
    pending.put(frame(0), ticket)
    taken = pending.take()
    assert taken is not None

    pending.settle(result_of(taken))
    pending.abandon(taken, "too late")

    assert ticket.state == "processed"


def test_a_frame_handed_over_takes_up_room_until_it_is_settled(pending: Pending) -> None:
    pending.append(frame(0))
    pending.append(frame(1))
    first, second = pending.hand_over(), pending.hand_over()
    assert first is not None
    assert second is not None
    assert (first[1], pending.queued, len(pending)) == (True, 2, 0)
    with pytest.raises(FrameError):
        pending.check_room()

    pending.settle(result_of(first[0]))

    pending.check_room()
    assert pending.queued == 1


def test_a_live_frame_handed_over_takes_up_no_room(pending: Pending) -> None:
    assert pending.hand_over() is None
    pending.put(frame(0))

    handed = pending.hand_over()

    assert handed is not None
    assert (handed[0].seq, handed[1], pending.queued) == (0, False, 0)


def test_a_full_queue_says_so(pending: Pending) -> None:
    pending.append(frame(0))
    pending.check_room()
    pending.append(frame(1))

    with pytest.raises(FrameError) as refused:
        pending.check_room()

    assert str(refused.value) == (
        "queue: expected at most 2 frames of a camera that wait for the hook; "
        "it is slower than they come"
    )
    assert (refused.value.status, refused.value.reason) == (503, "queue")


def test_a_live_frame_that_is_wanted_after_all_stands_in_the_queue(pending: Pending) -> None:
    pending.put(frame(0))
    assert pending.repeat(frame(0), every=False)
    assert pending.queued == 0

    assert pending.repeat(frame(0), every=True)
    pending.put(frame(1))

    assert (pending.queued, pending.counts()) == (1, (0, 0, 2))
    assert [taken and taken.seq for taken in (pending.take(), pending.take())] == [0, 1]


def test_a_live_frame_that_is_wanted_after_all_needs_room(pending: Pending) -> None:
    pending.append(frame(0))
    pending.append(frame(1))
    pending.put(frame(2))

    with pytest.raises(FrameError):
        pending.repeat(frame(2), every=True)
    assert pending.repeat(frame(1), every=True)  # stands there already

    assert (pending.queued, len(pending)) == (2, 3)


def test_who_repeats_a_frame_shares_the_ticket_of_the_first(pending: Pending) -> None:
    first, second = Ticket(), Ticket()
    pending.put(frame(0), first)

    assert pending.join(frame(0), second) is first
    assert pending.join(frame(1), second) is None


def test_who_repeats_a_frame_of_which_nobody_waited_brings_the_ticket(pending: Pending) -> None:
    ticket, later = Ticket(), Ticket()
    pending.put(frame(0))

    assert pending.join(frame(0), ticket) is ticket
    assert pending.join(frame(0), later) is ticket
    pending.put(frame(1))
    assert ticket.state == "superseded"


def test_of_two_frames_of_one_name_the_later_is_meant(pending: Pending) -> None:
    """A client without epochs that began again, while its first frame is with the hook."""
    tickets = Ticket(), Ticket()
    pending.put(frame(0), tickets[0])
    assert pending.take() is not None
    pending.put(frame(0), tickets[1])

    assert pending.join(frame(0), Ticket()) is tickets[1]


def test_when_the_camera_is_closed_all_who_wait_are_told_and_nothing_is_given_out(
    pending: Pending,
) -> None:
    tickets = [Ticket() for _ in range(5)]
    pending.append(frame(0), tickets[0])
    assert pending.take() is not None
    pending.append(frame(1), tickets[1])
    pending.put(frame(2), tickets[2])

    pending.close()

    assert [ticket.state for ticket in tickets] == [None, "closed", "closed", None, None]
    assert pending.take() is None
    assert pending.hand_over() is None
    pending.append(frame(3), tickets[3])
    assert tickets[3].state == "closed"
    assert pending.join(frame(1), tickets[4]) is tickets[1]
    assert pending.counts() == (1, 0, 3)


def test_a_ticket_that_comes_after_the_end_is_told_at_once(pending: Pending) -> None:
    ticket = Ticket()
    pending.put(frame(0))
    pending.close()

    assert pending.join(frame(0), ticket) is ticket
    assert ticket.state == "closed"


def test_a_closed_camera_that_nobody_waits_at_is_only_closed(pending: Pending) -> None:
    pending.close()

    assert (pending.take(), len(pending)) == (None, 0)
