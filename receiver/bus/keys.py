"""Keys: what stands where in Redis. All begin with `framepost:`.

A camera's keys share its hash tag, and what joins cameras shares another, so that in a Redis
Cluster each script's keys lie in one slot (redis.io, cluster specification: hash tags). Camera
names hold no braces, see `shared.frame.check_camera`.
"""

from __future__ import annotations

#: Who is there: member -> time and JSON.
MEMBERS = "framepost:{work}:members"
#: Whose change says that Redis has lost its memory.
ERA = "framepost:{work}:era"
#: What became of frames: a stream that every receiver reads.
RESULTS = "framepost:{work}:results"
#: Seconds until a frame that nobody took is gone from Redis, and a result.
FRAME_STAYS = 30.0
RESULT_STAYS = 15.0
#: The consumer group of every stream of tokens.
GROUP = "workers"


def frame(camera: str) -> str:
    """The camera's newest frame: a hash of its facts and bytes."""
    return f"framepost:{{{camera}}}:frame"


def kept_frame(camera: str, frame_id: str) -> str:
    """A frame that is to be processed even if newer ones come, likewise."""
    return f"framepost:{{{camera}}}:frame:{frame_id}"


def taken(camera: str) -> str:
    """Which of the camera's frames was taken for which token: a hash of ids and facts."""
    return f"framepost:{{{camera}}}:taken"


def drawn(frame_key: str) -> str:
    """The JPEG of what a hook drew into the frame that stands under `frame_key`."""
    return f"{frame_key}:drawn"


def lease(camera: str) -> str:
    """Which worker alone may run a stateful hook on the camera's frames."""
    return f"framepost:{{{camera}}}:lease"


def shown(camera: str) -> str:
    """The channel that says that the camera has a new frame."""
    return f"framepost:{{{camera}}}:shown"


def told(stream: str) -> str:
    """Which token of the stream last told of what."""
    return f"{stream}:told"


def seats(hook: str) -> str:
    """Which workers of a hook have, or had, a stream of tokens of their own: a set."""
    return f"framepost:{{work}}:seats:{hook}"


def tokens(hook: str, seat: str = "") -> str:
    """The stream of cameras that have a frame for a hook: its camera's name, or "*" for all others.

    With `seat` of those that this worker alone may serve.
    """
    return f"framepost:{{work}}:tokens:{hook}" + (f":{seat}" if seat else "")
