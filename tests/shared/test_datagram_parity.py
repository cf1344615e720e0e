from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.datagram import Cut
from shared.datagram_parity import parities, restore


@given(st.binary(min_size=1, max_size=3000), st.integers(128, 700), st.integers(1, 255))
def test_any_one_piece_of_a_group_is_made_from_the_others(
    data: bytes, room: int, parity: int
) -> None:
    cut = Cut.even(len(data), room, parity)
    pieces = [data[at : at + cut.chunk] for at in range(0, cut.length, cut.chunk)]

    made = parities(data, cut)

    assert [len(each) for each in made] == [cut.chunk] * cut.groups
    for group, extra in enumerate(made):
        for missing in cut.members(group):
            others = [pieces[part] for part in cut.members(group) if part != missing]
            assert restore([extra, *others], cut.size(missing)) == pieces[missing]


def test_what_does_not_fit_together_is_cut_to_the_piece_s_size() -> None:
    assert restore([b"\xff" * 10, b"\x0f"], 4) == b"\xf0\xff\xff\xff"
