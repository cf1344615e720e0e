"""Books: the parts of both programs that count, stepped in any order beside a plain model."""

from __future__ import annotations

import logging
from unittest.mock import patch

from receiver.order import Order
from tests import books_machine
from tests.survive.trial import Broken, Figures, Run, Trial


def books(run: Run) -> Figures:
    """Send, lose, repeat, hold back, restart, stop: whatever comes next is drawn by chance."""
    examples = 40 if run.quick else 2000
    logging.getLogger("sender").setLevel(logging.ERROR)  # of what is lost by intent
    try:
        with patch.object(Order, "knows", lambda *_: False) if run.disarmed else patch.dict({}):
            books_machine.play(examples, random_seed=run.seed)
    except books_machine.Broken as exc:
        raise Broken(" ".join(map(str, exc.args))) from exc
    finally:
        logging.getLogger("sender").setLevel(logging.NOTSET)
    return {"examples": examples, "steps_each": books_machine.STEPS}


TRIALS = [
    Trial(
        "books",
        "in any order of sends, losses, repeats, restarts and stops the books of both sides close,"
        " every frame has one result, and a frame that is kept is acknowledged only once it was"
        " processed, in order, and marked where the hook may have had it before",
        books,
        disarm="the receiver's memory of which frames came",
        disarm_quick=True,
    ),
]
