"""Exchanges: requests and replies that are cut, spoiled, refused or late."""

from __future__ import annotations

import asyncio
import random
import time

from tests.chaos.proxy import ChaosProxy
from tests.chaos.reply_cut import ReplyCut
from tests.chaos.toxics import Break, Flow, HangUp, Latency, Slicer, Stall
from tests.survive.island import Island
from tests.survive.line import Line
from tests.survive.trial import Figures, Run, Trial

#: More than one on a machine that does other things besides, as that of a short run may.
_BUSY = 20.0
_FRAME = 20_000


def matrix(run: Run) -> Figures:
    """Spoil what is on its way in every manner that the proxy knows."""
    patch = "no-wholeness" if run.disarmed else ""
    sender = ("--deadline", "2")
    with Line(
        run, proxy=ChaosProxy, frame_bytes=_FRAME, sender=sender, receiver_patch=patch
    ) as line:
        proxy = line.proxy
        assert proxy is not None
        line.wait_for_frames(3)
        held = line.holdings()
        slow = 2 if run.quick else 50
        late = [Latency(0.3, 0.1)]
        proxy.change(up=late, down=late)
        proxy.reset()
        line.wait_for_frames(slow)
        began = time.time()
        line.wait_for_frames(slow)
        ages = [row.true_age for row in line.rows() if row.captured_at > began]
        proxy.change(up=[Slicer(100)], down=[Slicer(100)])
        proxy.reset()
        line.wait_for_frames(slow)
        breaks = [Break(at, times=2) for at in _offsets(run)]
        breaks += [Break(at, how=HangUp, times=2) for at in _offsets(run)]
        for each in breaks:
            _strike(line, proxy, each)
        proxy.change(up=[Stall(_FRAME // 2)])
        proxy.reset()
        failed = line.sent()["failed"].get("timeout", 0)
        line.wait_until(
            "a timeout", lambda: line.sent()["failed"].get("timeout", 0) > failed, _BUSY
        )
        proxy.change()
        proxy.reset()
        line.wait_for_frames(10)
        line.check_back(held)
        books = line.end()
    return {
        "frames": len(line.rows()),
        "partial_frames": 0,
        "tracebacks": 0,
        "broken_at_offsets": len(breaks),
        "failed": books["failed"],
        "worst_age_with_latency_ms": round(max(ages, default=0) * 1000),
    }


def _offsets(run: Run) -> list[int]:
    """Return where a request is broken: half of them in its head, half in its body."""
    count = 1 if run.quick else 10
    head = [run.random.randrange(1, 400) for _ in range(count)]
    return head + [run.random.randrange(600, _FRAME * 3 // 4) for _ in range(count)]


def _strike(line: Line, proxy: ChaosProxy, each: Break) -> None:
    proxy.change(up=[each])
    proxy.reset()
    line.wait_until("two broken requests", lambda: each.struck >= 2)
    line.wait_for_frames(2)


def replies_cut(run: Run) -> Figures:
    """Forward every request whole, and keep three of ten replies."""
    count = 60 if run.quick else 1500
    cut = ReplyCut(0.3, seed=run.seed)
    line = Line(
        run,
        proxy=lambda port: ChaosProxy(port, cut=cut),
        fps=25,
        frame_bytes=4_000,
        frames=count,
        receiver_patch="no-order" if run.disarmed else "",
    )
    with line:
        line.wait_until("the camera's end", lambda: not line.sender.alive, 300)
        books = line.end()
        seen = line.seen()
    frames = {exchange.request.frame for exchange in cut.log}
    answered = {exchange.request.frame for exchange in cut.log if not exchange.cut}
    told = {"posted": len(answered), "failed": len(frames - answered)}
    for name, number in told.items():
        run.check(
            books[name] == number,
            f"the sender counts {name}={books[name]}, the proxy saw {number}",
        )
    again = len(cut.log) - len(frames)
    run.check(
        seen["duplicate"] == again,
        f"the receiver counts {seen['duplicate']} duplicates, the proxy saw {again}",
    )
    run.check(
        seen["processed"] + seen["superseded"] == len(frames),
        f"{len(frames)} frames came: {seen}",
    )
    run.check(bool(again) and told["failed"] > 0, f"too little was cut: {told}")
    return {
        "requests": len(cut.log),
        "replies_cut": sum(exchange.cut for exchange in cut.log),
        "duplicates": again,
        "at_the_hook": len(line.rows()),
        "twice_at_the_hook": 0,
        **told,
    }


class Lifetimes:
    """A toxic that does nothing, and keeps for how long each connection was asked something."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def spoil(self, flow: Flow, rng: random.Random) -> Flow:
        loop = asyncio.get_running_loop()
        began = None
        async for data in flow:
            began = began or loop.time()
            yield data
        if began is not None:
            self.seconds.append(loop.time() - began)


def dripping(run: Run) -> Figures:
    """Let replies come byte by byte, each within every time-out for a single wait."""
    deadline, pause, count = (1.0, 0.1, 1) if run.quick else (2.0, 0.5, 10)
    lifetimes = Lifetimes()
    line = Line(
        run,
        proxy=lambda port: ChaosProxy(port, up=[lifetimes], down=[Slicer(1, pause)]),
        sender=("--deadline", str(deadline), "--in-flight", "1"),
        patch="no-deadline" if run.disarmed else "",
    )
    with line:
        line.wait_until(
            "exchanges to be given up",
            lambda: len(lifetimes.seconds) >= count,
            (5 if run.disarmed else _BUSY) + 5 * count,
        )
        failed = line.sent()["failed"]
        line.end()
    longest = max(lifetimes.seconds)
    most = deadline * 1.1 + (_BUSY if run.quick else 0)
    run.check(
        deadline * (0.3 if run.quick else 0.9) <= min(lifetimes.seconds) <= longest <= most,
        f"exchanges took {min(lifetimes.seconds):.2f} to {longest:.2f} s, not {deadline:g} s",
    )
    run.check("timeout" in failed, f"expected time-outs in the sender's books, got {failed}")
    return {
        "deadline_seconds": deadline,
        "shortest_seconds": round(min(lifetimes.seconds), 2),
        "longest_seconds": round(longest, 2),
    }


def token_refused(run: Run) -> Figures:
    """Let a sender without a token ask a receiver that wants one."""
    seconds = 3.0 if run.quick else 150.0
    log = ReplyCut(0.0)
    line = Line(
        run,
        proxy=lambda port: ChaosProxy(port, cut=log),
        receiver=("--token", "0123456789abcdef"),
        patch="no-rest" if run.disarmed else "",
    )
    with line:
        line.wait_until("the first refusal", lambda: log.log)
        last = min(seconds, 60)
        time.sleep(seconds - last)
        before = sum(line.sent()["refused"].values())
        time.sleep(last)
        # With tries on a connection that the receiver had closed, which never came there.
        asked = len(log.log)
        refused = line.sent()["refused"]
        last = sum(refused.values()) - before
        line.sender.stop()
    for program in (line.sender, line.receiver):
        run.check("Traceback" not in program.output, program.output[-3000:])
    run.check(set(refused) == {"401"}, f"expected refusals for the token, got {refused}")
    if run.quick:
        run.check(asked <= 4, f"{asked} requests in {seconds:g} s")
    else:
        run.check(last <= 2, f"{last} requests in the last minute, expected 1 in 30 s")
    return {"seconds": seconds, "requests": asked, "in_the_last_minute": last}


def names(run: Run) -> Figures:
    """Let the receiver's name have no address, then one, then another."""
    with Island() as island:
        name = "receiver.test"
        sender = ("--deadline", "2")
        with Line(
            run, island=island, to=name, sender=sender, receiver=("--allow-host", name)
        ) as line:
            line.wait_until("a failure", lambda: line.sent()["failed"].get("connect"))
            epoch = line.sent()["epoch"]
            backs = []
            for address, gone in ((island.near, None), (island.other, island.near)):
                if gone is not None:
                    island.forget(gone, line.port)
                island.call(f"{address} {name}")
                moment = time.time()
                backs.append(line.wait_for_frame_of(moment).at - moment)
                line.wait_for_frames(5)
            # Then it has both, and the one that is dead comes first.
            island.call(f"{island.near} {name}", f"{island.other} {name}")
            island.reset(line.port)
            failed = sum(line.sent()["failed"].values())
            line.wait_until("a failure", lambda: sum(line.sent()["failed"].values()) > failed)
            island.mend()
            island.forget(island.near, line.port)
            moment = time.time()
            backs.append(line.wait_for_frame_of(moment).at - moment)
            same = line.sent()["epoch"] == epoch
            line.end()
    run.check(same, "the sender began anew")
    most = _BUSY if run.quick else 4
    run.check(max(backs) <= most, f"frames came {backs} s after the name had an address")
    return {
        "after_the_first_address_seconds": round(backs[0], 2),
        "after_the_other_address_seconds": round(backs[1], 2),
        "with_a_dead_address_first_seconds": round(backs[2], 2),
    }


TRIALS = [
    Trial(
        "exchange-matrix",
        "latency of 300 ± 100 ms, pieces of 100 bytes, resets and closes at 20 places of a request"
        " each, bodies that stop in the middle: no partial frame at the hook, no traceback",
        matrix,
        disarm="the receiver's look at whether a picture is whole",
    ),
    Trial(
        "exchange-replies-cut",
        "with 30 % of the replies lost the hook sees each frame once, and what the sender calls"
        " failed is what got no reply, to the frame",
        replies_cut,
        disarm="the receiver's memory of which frames came",
        disarm_quick=True,
    ),
    Trial(
        "exchange-dripping",
        "a reply that drips, a byte each half second, is given up when the sender's deadline is"
        " over, not later",
        dripping,
        disarm="the sender's deadline",
    ),
    Trial(
        "exchange-token-refused",
        "a sender whose token is refused asks once in 30 s, not in a loop",
        token_refused,
        disarm="the pauses between its tries",
    ),
    Trial(
        "exchange-names",
        "a receiver whose name gets an address, then another one, then a dead one besides, is found"
        " without a restart of the sender",
        names,
    ),
]
