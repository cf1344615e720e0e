"""The main line: a camera, the sender, the receiver, and a hook that reads the frame's number from
the pixels; over every codec and transport, and with parts that go away and come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.chain import Chain
from tests.survive.holdings import Holdings
from tests.survive.trial import Figures, Run, Trial


@dataclass(frozen=True, slots=True)
class Variant:
    """A camera, and how it sends."""

    codec: str = "h264"
    transport: str = "tcp"
    password: str | None = None

    def __str__(self) -> str:
        return f"{self.codec}-{self.transport}" + ("-digest" if self.password else "")


VARIANTS = (
    Variant(),
    Variant(codec="h265"),
    Variant(codec="mjpeg"),
    Variant(transport="udp"),
    Variant(password="s3:cr@t/word"),
)


def deliver(variant: Variant, run: Run) -> Figures:
    """Let a camera of 25 frames a second send for a minute."""
    with Chain(
        codec=variant.codec,
        transport=variant.transport,
        password=variant.password,
        size="640x360" if run.quick else "1280x720",
    ) as chain:
        chain.wait_for_frames(5)
        time.sleep(2 if run.quick else 60)
        run.check(chain.sender.stop() == 0, "the sender did not end in good order")
        summary = chain.sender.wait_for(r"in all captured=(\d+) posted=(\d+)")
        chain.wait_until("the hook is idle", lambda: chain.seen()["waiting"] == 0)
        seen = chain.seen()
    captured = int(summary[1])
    told = sum(seen[name] for name in ("processed", "superseded", "failed", "waiting"))
    run.check(seen["received"] == told, f"{seen['received']} frames came, {told} are accounted for")
    result = seen["result"]
    run.check(result["disorder"] == 0, f"{result['disorder']} frames came in disorder")
    run.check(result["illegible"] == 0, f"{result['illegible']} frames were not legible")
    share = seen["processed"] / captured
    # Of fifty frames a busy machine may cost some.
    least = 0.5 if run.quick else 0.99
    run.check(share >= least, f"the hook saw {share:.1%} of what was captured, not {least:.0%}")
    return {
        "captured": captured,
        "processed": seen["processed"],
        "superseded": seen["superseded"],
        "failed": seen["failed"],
        "age_ms": result["age_ms"],
    }


def recover(run: Run) -> Figures:
    """Stop and start the camera and the receiver, by turns, and see what the sender holds then."""
    cycles = 3 if run.quick else 20
    most = (30.0, 30.0) if run.quick else (3.0, 2.0)
    camera, receiver = [], []
    with Chain() as chain:
        chain.wait_for_frames(25)
        outages = [0.2] if run.quick else [20.0]
        outages += [0.2 if run.quick else 0.5] * cycles
        before = Holdings.of(chain.sender.pid)
        for number, outage in enumerate(outages):
            epoch = chain.seen()["epoch"]
            camera.append(_without_camera(chain, outage))
            run.check(chain.seen()["epoch"] != epoch, "the camera came back with its old epoch")
            receiver.append(_without_receiver(chain, outage))
            run.say(f"{number + 1} of {len(outages)} outages")
            if number == 0:
                chain.wait_for_frames(25)
                before = Holdings.of(chain.sender.pid)
        chain.wait_for_frames(25)
        chain.wait_until(
            "nothing is left over", lambda: Holdings.of(chain.sender.pid).is_about(before)
        )
        after = Holdings.of(chain.sender.pid)
        run.check("Traceback" not in chain.sender.output, chain.sender.output)
    for part, seconds, limit in zip(("camera", "receiver"), (camera, receiver), most, strict=True):
        run.check(
            max(seconds) <= limit,
            f"the {part} was back for {max(seconds):.2f} s before the hook had a frame,"
            f" expected {limit:g} s",
        )
    return {
        "outages": len(camera) + len(receiver),
        "camera_back_s": round(max(camera), 2),
        "receiver_back_s": round(max(receiver), 2),
        "threads": after.threads,
        "files": after.files,
    }


def _without_camera(chain: Chain, outage: float) -> float:
    chain.camera.stop()
    time.sleep(outage)
    before = chain.seen()["processed"]
    chain.start_camera()
    return _seconds_until(chain, lambda: chain.seen()["processed"] > before)


def _without_receiver(chain: Chain, outage: float) -> float:
    chain.receiver.stop()
    time.sleep(outage)
    chain.start_receiver()
    return _seconds_until(chain, lambda: chain.seen().get("processed", 0) > 0)


def _seconds_until(chain: Chain, condition: Callable[[], bool]) -> float:
    started = time.monotonic()
    chain.wait_until("a new frame at the hook", condition, 60)
    return time.monotonic() - started


TRIALS = [
    *(
        Trial(
            f"line-{variant}",
            f"of a 720p camera's frames ({variant}) the hook sees at least 99 %, in order, and the"
            " books add up",
            partial(deliver, variant),
        )
        for variant in VARIANTS
    ),
    Trial(
        "line-outages",
        "a camera is found again within 3 s and a receiver within 2 s, after 20 s and twenty times"
        " in a row, and nothing is left over in the sender",
        recover,
    ),
]
