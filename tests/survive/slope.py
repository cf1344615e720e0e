"""Slope: how fast something grows, by Theil and Sen, and how fast it may grow at most.

The median of the slopes between all pairs of points: a few steps and spikes do not move it (Sen
1968, JASA 63, 1379-1389). A process that was started anew begins a new piece, and only points of
one piece are compared, as in the seasonal form (Hirsch 1982, Water Resources Research 18, 107-121).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

#: (seconds, value)
Point = tuple[float, float]
#: Of the standard normal distribution: 95 % lie below.
_Z95 = 1.6449
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth per hour, in the values' unit; 95 % sure, it is at most `upper`."""

    per_hour: float
    upper: float
    points: int


def estimate(pieces: Iterable[Sequence[Point]]) -> Slope:
    """Return the slope of all pieces together, each of points in the order of time.

    Raise ValueError where no piece has two points. Ties are not allowed for: where many values are
    equal, `upper` is a little too high.
    """
    slopes: list[np.ndarray] = []
    variance = 0.0
    points = 0
    for piece in pieces:
        n = len(piece)
        if n < 2:
            continue
        at, value = np.asarray(piece, dtype=np.float64).T
        first, second = np.triu_indices(n, k=1)
        slopes.append((value[second] - value[first]) / (at[second] - at[first]))
        variance += n * (n - 1) * (2 * n + 5) / 18
        points += n
    if not slopes:
        raise ValueError("slope: expected two points of one process at least")
    ordered = np.sort(np.concatenate(slopes))
    rank = (len(ordered) + _Z95 * math.sqrt(variance)) / 2
    upper = ordered[min(len(ordered) - 1, math.ceil(rank))]
    return Slope(float(np.median(ordered)) * _HOUR, float(upper) * _HOUR, points)


def low_water(points: Sequence[Point], window: float) -> list[Point]:
    """Return the lowest point of each `window` seconds.

    What a process holds for the moment, such as the frames on their way, is no growth.
    """
    lowest: dict[int, Point] = {}
    for point in points:
        number = int((point[0] - points[0][0]) // window)
        if number not in lowest or point[1] < lowest[number][1]:
            lowest[number] = point
    return [lowest[number] for number in sorted(lowest)]
