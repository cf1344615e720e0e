from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.listeners.assembly import Assembly, Whole
from shared.datagram import Cut, Head
from tests.receiver.listeners.pieces import Piece, noisy, pieces

FRAMES = [noisy(seq, size=3000 + 977 * seq) for seq in range(6)]
SENT = {
    options: [piece for frame in FRAMES for piece in pieces(frame, options)]
    for options in ("", "?parity=4", "?parity=1")
}
REPAIRED = {parity: pieces(noisy(1), f"?parity={parity}") for parity in range(1, 10)}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def assembly(clock: Clock) -> Assembly:
    return Assembly(max_held=200_000, max_streams=4, clock=clock)


def put(assembly: Assembly, *given: Piece, key: bytes = b"") -> list[Whole]:
    found = [assembly.put(piece.head, piece.payload, key=key) for piece in given]
    return [whole for whole in found if whole is not None]


def pictures(wholes: Iterable[Whole]) -> list[bytes]:
    return [whole.body.picture for whole in wholes]


def know(assembly: Assembly, camera: str) -> None:
    """Let a frame of the camera be taken."""
    [whole] = put(assembly, *pieces(noisy(camera=camera)))
    whole.taken()


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(SENT)))
def test_however_pieces_come_only_true_pictures_are_made_newest_first_and_memory_is_bounded(
    dice: random.Random, options: str
) -> None:
    """Shuffled within a window, lost, repeated, changed."""
    assembly = Assembly(max_held=40_000, max_streams=4)
    sent = [piece for piece in SENT[options] for _ in range(dice.choice([0, 1, 1, 1, 1, 1, 1, 2]))]
    order = sorted(range(len(sent)), key=lambda at: at + dice.uniform(0, dice.choice([0, 5, 60])))
    came = []
    for at in order:
        piece = sent[at]
        if dice.random() < 0.02:
            payload = bytearray(piece.payload)
            payload[dice.randrange(len(payload))] ^= 1 << dice.randrange(8)
            piece = Piece(piece.head, bytes(payload))
        came += put(assembly, piece)
        assert 0 <= assembly.held <= 40_000

    truth = [frame.data for frame in FRAMES]
    numbers = [truth.index(picture) for picture in pictures(came)]  # else no such picture was sent
    assert numbers == sorted(set(numbers))
    assert sum(assembly.datagrams.values()) == len(sent)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_one_lost_piece_of_each_group_is_made_from_parity(dice: random.Random, parity: int) -> None:
    assembly = Assembly(max_held=200_000, max_streams=4)
    frame = noisy(1)
    sent = REPAIRED[parity]
    cut = sent[0].head.cut
    lost = {dice.choice(cut.members(group)) for group in range(cut.groups)}
    left = [piece for piece in sent if piece.head.is_parity or piece.head.part not in lost]
    dice.shuffle(left)

    came = put(assembly, *left)

    assert pictures(came) == [frame.data]
    assert assembly.repaired == len(lost)


def test_two_lost_pieces_of_a_group_are_a_lost_frame(assembly: Assembly) -> None:
    sent = pieces(noisy(1), "?parity=4")
    lost = list(sent[0].head.cut.members(0))[:2]

    came = put(
        assembly, *[piece for piece in sent if piece.head.is_parity or piece.head.part not in lost]
    )
    came += put(assembly, *pieces(noisy(2)))

    assert pictures(came) == [noisy(2).data]
    assert assembly.losses == {"incomplete": 1}
    assert assembly.held == 0


def test_a_newer_whole_frame_ends_the_wait_for_older_ones(assembly: Assembly) -> None:
    old, new = pieces(noisy(1)), pieces(noisy(2))

    assert not put(assembly, *old[:-1])
    assert pictures(put(assembly, *new)) == [noisy(2).data]
    assert not put(assembly, old[-1])

    assert assembly.losses == {"incomplete": 1}
    assert assembly.datagrams["late"] == 1
    assert assembly.held == 0


def test_an_older_frame_that_is_whole_first_leaves_the_newer_one_its_time(
    assembly: Assembly,
) -> None:
    old, new = pieces(noisy(1)), pieces(noisy(2))

    came = put(assembly, *new[:3], *old, *new[3:])

    assert pictures(came) == [noisy(1).data, noisy(2).data]
    assert not assembly.losses


def test_what_comes_again_or_is_another_is_counted_and_changes_nothing(assembly: Assembly) -> None:
    first, *rest = pieces(noisy(1))
    other = Piece(first.head, bytes(len(first.payload)))
    longer = Piece(first.head._replace(cut=Cut(30_000, first.head.cut.chunk)), first.payload)

    came = put(assembly, first, first, other, longer, *rest, first)

    assert pictures(came) == [noisy(1).data]
    assert assembly.datagrams == {
        "used": 1 + len(rest),
        "duplicate": 1,
        "conflict": 2,
        "spare": 1,
    }


def test_a_frame_that_was_changed_on_the_way_is_damaged_and_the_next_one_comes(
    assembly: Assembly,
) -> None:
    first, *rest = pieces(noisy(1))
    changed = Piece(first.head, bytes([first.payload[0] ^ 1]) + first.payload[1:])

    came = put(assembly, changed, *rest, *pieces(noisy(2)))

    assert pictures(came) == [noisy(2).data]
    assert assembly.losses == {"damaged": 1}


def test_a_wrong_number_locks_nobody_out(assembly: Assembly) -> None:
    first, *rest = pieces(noisy(1))
    put(assembly, *[Piece(first.head._replace(seq=10_000 + n), first.payload) for n in range(9)])
    whole = [Piece(each.head._replace(seq=20_000), each.payload) for each in (first, *rest)]

    assert not put(assembly, *whole)  # its own number is another
    assert pictures(put(assembly, first, *rest)) == [noisy(1).data]
    assert assembly.losses["damaged"] == 1


def test_numbers_go_on_from_the_beginning_after_the_highest(assembly: Assembly) -> None:
    sent = [noisy(2**32 - 1), noisy(2**32), noisy(2**32 + 1)]

    came = [picture for frame in sent for picture in pictures(put(assembly, *pieces(frame)))]

    assert came == [frame.data for frame in sent]


def test_only_a_few_frames_of_a_stream_are_begun(assembly: Assembly) -> None:
    begun = [pieces(noisy(seq)) for seq in range(5)]
    for pieces_of_one in begun:
        put(assembly, pieces_of_one[0])

    # What was given up is not begun again.
    assert not put(assembly, *begun[0][1:], begun[0][0])
    assert pictures(put(assembly, *begun[4][1:])) == [noisy(4).data]
    assert assembly.losses == {"incomplete": 4}


def test_two_cameras_and_two_epochs_do_not_mix(assembly: Assembly) -> None:
    frames = [noisy(1), noisy(1, epoch="e2"), noisy(1, camera="cam2")]

    came = put(
        assembly, *[piece for row in zip(*map(pieces, frames), strict=True) for piece in row]
    )

    assert {(whole.body.camera, whole.body.envelope) for whole in came} == {
        (piece.body.camera, piece.body.envelope) for piece in came
    }
    assert len(came) == 3


def test_what_another_key_sealed_is_of_another_stream(assembly: Assembly) -> None:
    first, *rest = pieces(noisy(1))
    bad = Piece(first.head, bytes(len(first.payload)))

    assert not put(assembly, bad, key=b"theirs")
    assert pictures(put(assembly, first, *rest, key=b"ours")) == [noisy(1).data]


def test_noise_of_many_streams_drives_no_camera_out(assembly: Assembly) -> None:
    know(assembly, "cam1")
    first, *rest = pieces(noisy(7))
    put(assembly, first)
    for stream in range(5000):
        put(assembly, Piece(first.head._replace(stream=stream), first.payload))

    assert pictures(put(assembly, *rest)) == [noisy(7).data]
    assert assembly.losses["crowded"] > 4000
    assert assembly.held < 200_000


def test_a_camera_that_begins_among_noise_gets_its_first_frame_in(assembly: Assembly) -> None:
    *most, last = pieces(noisy(7))
    put(assembly, *most)
    for stream in range(500):
        put(assembly, Piece(last.head._replace(stream=stream), last.payload))

    assert pictures(put(assembly, last)) == [noisy(7).data]


def test_cameras_are_as_many_as_there_may_be_and_the_silent_one_makes_room(
    assembly: Assembly,
) -> None:
    names = [f"cam{number}" for number in range(5)]
    for name in names:
        know(assembly, name)
    assert not put(assembly, pieces(noisy(9, camera="cam0"))[0])

    late = put(assembly, *[piece for name in names for piece in pieces(noisy(camera=name))])

    assert [whole.body.camera for whole in late] == ["cam0"]  # which was forgotten


def test_frames_that_are_begun_take_no_more_than_may_be_held(assembly: Assembly) -> None:
    know(assembly, "cam1")
    ours = pieces(noisy(5, size=60_000))
    put(assembly, *ours[:-1])
    for number in range(20):
        stranger = pieces(noisy(1, size=60_000, camera=f"stranger{number}"))
        put(assembly, *stranger[:-1])
        assert assembly.held <= 200_000

    assert pictures(put(assembly, ours[-1])) == [noisy(5, size=60_000).data]
    assert assembly.losses["crowded"] > 10


def test_what_a_head_claims_takes_no_memory(assembly: Assembly) -> None:
    huge = Head(Cut(190_000, 128, 1), 5, 6, 7)

    put(assembly, Piece(huge, bytes(128)))

    assert assembly.held == 128


def test_frames_and_streams_that_are_silent_are_given_up(assembly: Assembly, clock: Clock) -> None:
    know(assembly, "cam1")
    put(assembly, pieces(noisy(3))[0])
    clock.now += 1.9
    assembly.sweep()
    assert assembly.held > 0

    clock.now += 0.6
    assembly.sweep()
    assert assembly.held == 0
    assert assembly.losses == {"incomplete": 1}
    assert not put(assembly, *pieces(noisy(0)))

    clock.now += 10.6
    assembly.sweep()
    assert pictures(put(assembly, *pieces(noisy(0)))) == [noisy(0).data]
