"""What looks for leaks in a soak finds those that there are, and no others."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.survive.census import Census, Growth
from tests.survive.slope import Point, Slope, estimate, low_water
from tests.survive.soak.plan import CUT, Plan, schedule
from tests.survive.soak.verdict import BAR, PLANTED, judge

_HOUR = 3600
_MB = 1 << 20
#: Does what it is told, and says so.
_CHILD = f"""
import mmap, sys
kept = []
for line in sys.stdin:
    match line.split():
        case ["take"]:
            kept.append(bytearray(b"x") * {8 * _MB})
        case ["drop"]:
            kept.clear()
        case ["map", path]:
            with open(path, "rb") as file:
                kept.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            sum(kept[-1][::4096])
    print("done", flush=True)
"""


def series(
    per_hour: float, *, seconds: float = 3000, every: float = 5, seed: int = 1
) -> list[Point]:
    """Return memory as a process has it: a level, frames on their way, now and then a step back."""
    rng = random.Random(seed)
    count = int(seconds / every)
    return [
        (n * every, 100 + per_hour * n * every / _HOUR + rng.choice((0, 0, 0, 0.8, 2.5)))
        for n in range(count)
    ]


def growth(memory: Slope, *, threads: float = 0, files: float = 0) -> Growth:
    return Growth(memory, Slope(threads, threads, 9), Slope(files, files, 9), 100, 1, 3000)


@pytest.mark.parametrize("seed", range(5))
def test_what_goes_up_and_down_does_not_grow(seed: int) -> None:
    assert estimate([low_water(series(0, seed=seed), 120)]).upper < BAR


@pytest.mark.parametrize("seed", range(5))
def test_the_planted_leak_is_found_and_measured(seed: int) -> None:
    found = estimate([low_water(series(PLANTED, seed=seed), 120)])

    assert found.per_hour == pytest.approx(PLANTED, rel=0.1)
    assert found.upper > BAR


def test_one_step_is_no_leak() -> None:
    points = [(at, value + (5 if at > 2900 else 0)) for at, value in series(0)]

    assert estimate([low_water(points, 120)]).upper < BAR


def test_a_restart_is_not_taken_for_a_fall() -> None:
    first, second = series(PLANTED), series(PLANTED, seed=2)
    later = [(at + 4000, value - 30) for at, value in second]

    assert estimate([first, later]).per_hour == pytest.approx(PLANTED, rel=0.1)


def test_little_data_bounds_nothing() -> None:
    few = [(0.0, 100.0), (30.0, 100.1), (60.0, 100.0), (90.0, 100.2)]

    assert estimate([few]).upper > BAR
    with pytest.raises(ValueError, match="two points"):
        estimate([few[:1]])


def test_each_thing_that_grows_is_named_and_a_control_that_is_not_found_too() -> None:
    flat, leaking, hour = Slope(0, 0.1, 90), Slope(PLANTED, PLANTED, 90), Plan.of(60)
    sound = {"sender": growth(flat), "receiver": growth(flat), "control": growth(leaking)}

    assert judge(sound, hour) == []
    assert "receiver: memory grows by 6.00" in judge(sound | {"receiver": growth(leaking)}, hour)[0]
    assert "more threads" in judge(sound | {"sender": growth(flat, threads=3)}, hour)[0]
    assert "more open files" in judge(sound | {"sender": growth(flat, files=3)}, hour)[0]
    assert "was not found" in judge(sound | {"control": growth(flat)}, hour)[0]
    # That it may leak does not show that it was seen to.
    assert "was not found" in judge(sound | {"control": growth(Slope(0, PLANTED, 90))}, hour)[0]
    assert "did not live long enough" in judge({"sender": growth(flat)}, hour)[0]


def test_minutes_allow_more_and_find_what_is_planted_all_the_same() -> None:
    plan = Plan.of(5)
    noise, leaking = Slope(0, 2 * plan.scale, 90), Slope(5 * plan.scale, 6 * plan.scale, 90)
    sound = {"sender": growth(noise), "receiver": growth(noise), "control": growth(leaking)}

    assert judge(sound, plan) == []
    assert "sender: memory grows" in judge(sound | {"sender": growth(leaking)}, plan)[0]
    assert "was not found" in judge(sound | {"control": growth(noise)}, plan)[0]


def test_memory_is_what_a_process_holds_by_itself_and_not_the_pages_of_files(
    tmp_path: Path,
) -> None:
    file = tmp_path / "library"
    file.write_bytes(bytes(8 * _MB))
    census = Census()
    with subprocess.Popen(
        (sys.executable, "-c", _CHILD), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for command in ("begin", "take", f"map {file}", "drop"):
            print(command, file=child.stdin, flush=True)
            assert child.stdout.readline() == "done\n"
            census.look({"child": child.pid})
        child.stdin.close()

    begun, taken, mapped, dropped = (value for _, value in census.memory(1e-6)["child"])
    assert taken - begun == pytest.approx(8 * _MB / 1e6, abs=0.5)
    assert mapped - taken == pytest.approx(0, abs=0.5)
    assert dropped - begun == pytest.approx(0, abs=0.5)


def test_a_process_that_is_gone_says_nothing() -> None:
    child = subprocess.Popen((sys.executable, "-c", ""))
    child.wait(30)
    census = Census()

    census.look({"child": child.pid})

    assert census.growth(warm_up=0, window=1) == {}


def test_the_receiver_is_killed_only_at_the_end_and_a_seed_names_the_rest() -> None:
    kinds = ["receiver killed", "camera gone", "hook segfault", CUT]
    plan = Plan.of(60)
    drawn = schedule(kinds, plan, random.Random(1))

    assert len(drawn) == 29
    assert [at for at, kind in enumerate(drawn) if kind == "receiver killed"] == [28]
    assert {*drawn} == {*kinds} - {CUT}
    assert drawn == schedule(kinds, plan, random.Random(1))
    assert drawn != schedule(kinds, plan, random.Random(2))
