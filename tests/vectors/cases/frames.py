"""frames/: what becomes of a frame, and who may send one where."""

from __future__ import annotations

from tests.vectors import pictures
from tests.vectors.vector import Exchange, Vector, frame, one, post, refused, took

JPEG = pictures.jpeg(7)
#: What the hook `echo` makes of it.
SEEN = {"number": 7, "width": pictures.WIDTH, "height": pictures.HEIGHT}
TIMINGS = {"queue": {"is": "number"}, "decode": {"is": "number"}, "hook": {"is": "number"}}


def vectors() -> list[Vector]:
    return [*states(), *orders(), *waits(), *queues(), *addresses()]


def states() -> list[Vector]:
    facts = ("X-Frame-Epoch: e1", "X-Frame-Seq: 5", "X-Timestamp: 1700000000.123456")
    return [
        one(
            "accepted",
            "nobody waits: taken, not yet processed; the reply says which frame it was",
            frame("accepted", JPEG, *facts, "X-Sent-At: 1700000000.2"),
            took("accepted", camera="accepted", epoch="e1", seq=5, result={"is": "absent"}),
        ),
        one(
            "bare",
            "only length and body: the receiver numbers the frame itself",
            frame("bare", JPEG, content_type=None),
            took("accepted", epoch={"matches": "^[!-~]{1,64}$"}, seq=0),
        ),
        one(
            "processed",
            "the result comes with the reply for whoever waits",
            frame("echo", JPEG, "X-Frame-Epoch: processed", "X-Frame-Seq: 0", "Prefer: wait=20"),
            took(
                "processed",
                headers={
                    "Preference-Applied": "wait=20",
                    "Server-Timing": {
                        "matches": r"queue;dur=[0-9.]+, decode;dur=[0-9.]+, hook;dur=[0-9.]+, "
                        r"total;dur=[0-9.]+"
                    },
                },
                camera="echo",
                epoch="processed",
                seq=0,
                result=SEEN,
                timings={**TIMINGS, "total": {"is": "number"}},
                error={"is": "absent"},
            ),
        ),
        one(
            "processed-null",
            "a hook that returns nothing gives the result null",
            frame("nothing", JPEG, "X-Frame-Epoch: n", "X-Frame-Seq: 0", "Prefer: wait=20"),
            took("processed", result=None),
        ),
        one(
            "failed",
            "a hook that raises: one sentence says what",
            frame("fail", JPEG, "X-Frame-Epoch: f", "X-Frame-Seq: 0", "Prefer: wait=20"),
            took("failed", error={"matches": "told to fail"}),
        ),
        one(
            "failed-died",
            "a hook whose process ends: one sentence says so",
            frame("die", JPEG, "X-Frame-Epoch: d", "X-Frame-Seq: 0", "Prefer: wait=20"),
            took("failed", error={"is": "string"}),
        ),
    ]


def orders() -> list[Vector]:
    def numbered(
        camera: str, epoch: str, seq: int, *more: str, time: str = "1700000000.0"
    ) -> bytes:
        facts = (f"X-Frame-Epoch: {epoch}", f"X-Frame-Seq: {seq}", f"X-Timestamp: {time}")
        return frame(camera, JPEG, *facts, *more)

    return [
        Vector(
            "duplicate",
            "epoch and number that came before and gave way, on the same connection and on another",
            (
                Exchange(numbered("duplicate", "e", 3), took("accepted", seq=3)),
                Exchange(numbered("duplicate", "e", 4), took("accepted", seq=4)),
                Exchange(numbered("duplicate", "e", 3), took("duplicate", epoch="e", seq=3)),
                Exchange(numbered("duplicate", "e", 3), took("duplicate"), connection="b"),
            ),
        ),
        Vector(
            "repeated-while-it-waits",
            "nothing became of it yet, so it is no duplicate: who sent it may have to again",
            (
                Exchange(numbered("repeated", "e", 3), took("accepted", seq=3)),
                Exchange(
                    numbered("repeated", "e", 3, "X-Frame-Redelivered: 1"),
                    took("accepted", epoch="e", seq=3),
                ),
            ),
        ),
        Vector(
            "duplicate-with-result",
            "whoever repeats the newest frame and waits gets its result, which was made once",
            (
                Exchange(
                    numbered("echo", "twice", 0, "Prefer: wait=20"),
                    took("processed", result=SEEN),
                ),
                Exchange(
                    numbered("echo", "twice", 0, "Prefer: wait=20"),
                    took("duplicate", result=SEEN),
                ),
            ),
        ),
        Vector(
            "superseded-late",
            "a frame that comes after a newer one of its epoch; from then on it is known",
            (
                Exchange(numbered("late", "e", 5), took("accepted")),
                Exchange(numbered("late", "e", 4), took("superseded", epoch="e", seq=4)),
                Exchange(numbered("late", "e", 4), took("duplicate")),
                Exchange(numbered("late", "e", 6), took("accepted")),
            ),
        ),
        Vector(
            "superseded-former-epoch",
            "a frame of a former epoch that was captured before the newest",
            (
                Exchange(numbered("former", "one", 9), took("accepted")),
                Exchange(numbered("former", "two", 0, time="1700000001.0"), took("accepted")),
                Exchange(numbered("former", "one", 10, time="1700000000.5"), took("superseded")),
            ),
        ),
        Vector(
            "new-epoch",
            "a new epoch counts from 0 again",
            (
                Exchange(numbered("epochs", "one", 9), took("accepted")),
                Exchange(
                    numbered("epochs", "two", 0, time="1700000001.0"), took("accepted", seq=0)
                ),
            ),
        ),
        Vector(
            "superseded-waiting",
            "while the hook is busy a newer frame takes the place of one that waits",
            (
                Exchange(
                    numbered("slow-superseded", "e", 0, "Prefer: wait=1"),
                    took("accepted", headers={"Preference-Applied": "wait=1"}),
                ),
                Exchange(
                    numbered("slow-superseded", "e", 1, "Prefer: wait=20"),
                    took("superseded", seq=1),
                    later=True,
                ),
                Exchange(numbered("slow-superseded", "e", 2), took("accepted"), connection="b"),
            ),
        ),
    ]


def waits() -> list[Vector]:
    def waiting(camera: str, epoch: str, *prefer: str) -> bytes:
        return frame(camera, JPEG, f"X-Frame-Epoch: {epoch}", "X-Frame-Seq: 0", *prefer)

    return [
        one(
            "wait-ends",
            "the wait ends before the hook does",
            waiting("slow-wait", "e", "Prefer: wait=0.25"),
            took(
                "accepted",
                headers={"Preference-Applied": "wait=0.25", "Server-Timing": {"is": "absent"}},
            ),
        ),
        one(
            "wait-without-hook",
            "nobody processes this camera: the answer comes at once, and no wait was applied",
            waiting("nobody", "e", "Prefer: wait=20"),
            took("accepted", headers={"Preference-Applied": {"is": "absent"}}),
        ),
        one(
            "wait-among-preferences",
            "other preferences beside it, quotes and capitals",
            waiting("echo", "among", 'Prefer: respond-async, WAIT="20"; x=y'),
            took("processed", headers={"Preference-Applied": "wait=20"}, result=SEEN),
        ),
        one(
            "wait-other-preference",
            "a preference that is none of ours is ignored",
            waiting("prefers", "e", "Prefer: return=minimal"),
            took("accepted", headers={"Preference-Applied": {"is": "absent"}}),
        ),
        *(
            one(
                f"wait-{name}",
                f"a wait that is no number of seconds: {value!r}",
                waiting("echo", "malformed", f"Prefer: wait={value}"),
                refused(400, "Prefer"),
            )
            for name, value in [("word", "soon"), ("negative", "-1"), ("empty", ""), ("nan", "nan")]
        ),
    ]


def queues() -> list[Vector]:
    def queued(camera: str, seq: int, *prefer: str) -> bytes:
        facts = ("X-Frame-Epoch: e", f"X-Frame-Seq: {seq}")
        return frame(f"{camera}?mode=every", JPEG, *facts, *prefer)

    return [
        one(
            "every",
            "a frame that is to be processed whatever comes",
            frame("echo?mode=every", JPEG, "X-Frame-Epoch: q", "X-Frame-Seq: 0", "Prefer: wait=20"),
            took("processed", result=SEEN),
        ),
        one(
            "every-without-hook",
            "no hook processes this camera, so no promise can be made",
            queued("nobody", 9),
            refused(409, "nobody"),
        ),
        one(
            "mode-latest",
            "the default, by its name",
            frame("latest?mode=latest", JPEG),
            took("accepted"),
        ),
        one(
            "mode-unknown",
            "a mode that there is not",
            frame("unknown-mode?mode=newest", JPEG),
            refused(400, "mode"),
        ),
        Vector(
            "every-queue-full",
            "one at the hook, one in the queue: the next is sent away at once",
            (
                Exchange(queued("slow-full", 0, "Prefer: wait=1"), took("accepted")),
                Exchange(queued("slow-full", 1), took("accepted")),
                Exchange(queued("slow-full", 2), refused(503, Retry_After={"matches": "^[0-9]+$"})),
            ),
            receiver={"max_queue": 1},
        ),
        Vector(
            "too-many-cameras",
            "more names than the receiver keeps; the ones that it has may go on",
            (
                Exchange(frame("first", JPEG), took("accepted")),
                Exchange(
                    frame("second", JPEG),
                    refused(429, "camera", Retry_After={"matches": "^[0-9]+$"}),
                ),
                Exchange(frame("first", JPEG), took("accepted")),
            ),
            receiver={"max_cameras": 1},
        ),
    ]


def addresses() -> list[Vector]:
    longest = "a" * 64
    malformed = {
        "dot": ".hidden",
        "dash": "-x",
        "space": "a%20b",
        "umlaut": "%C3%BC",
        "long": longest + "a",
        "newline": "a%0A",
        "nul": "a%00",
    }
    bare = b"GET /cameras/a/frames HTTP/1.1\r\nHost: receiver.example\r\n\r\n"
    return [
        one(
            "camera-longest",
            "64 characters name a camera",
            frame(longest, JPEG),
            took("accepted", camera=longest),
        ),
        one(
            "camera-all-characters",
            "letters, digits, and _ . - behind the first",
            frame("0_.-Zz", JPEG),
            took("accepted", camera="0_.-Zz"),
        ),
        *(
            one(
                f"camera-{name}",
                f"a name that no camera can have: {camera}",
                frame(camera, JPEG),
                refused(400, "camera"),
            )
            for name, camera in malformed.items()
        ),
        one(
            "camera-of-two-parts",
            "a slash ends the name, and there is no such route",
            post("/cameras/a/b/frames", JPEG),
            refused(404),
        ),
        one("method-get", "frames are not fetched here", bare, refused(405, Allow="OPTIONS, POST")),
        one(
            "method-put",
            "nor put",
            frame("put", JPEG).replace(b"POST", b"PUT", 1),
            refused(405, Allow="OPTIONS, POST"),
        ),
    ]
