from __future__ import annotations

import re

from benchmarks.measuring import jobs
from benchmarks.measuring.load import NUMBER
from shared import codec, pattern

PICTURES = [codec.encode(pattern.draw(n, 160, 120), 80) for n in range(2)]


def test_a_post_announces_its_picture_and_names_its_camera() -> None:
    job = jobs.posts(PICTURES, 2)

    assert [len(heads) for heads in job.heads] == [2, 2]
    assert f"Content-Length: {len(PICTURES[1])}\r\n" in job.heads[0][1]
    assert job.heads[0][0].split()[1] != job.heads[1][0].split()[1]
    assert all(head.count(NUMBER) == 1 for heads in job.heads for head in heads)


def test_the_same_job_made_again_is_another_epoch() -> None:
    epochs = [re.findall(r"Epoch: (\S+)", jobs.posts(PICTURES, 1).heads[0][0]) for _ in range(2)]

    assert epochs[0] != epochs[1]


def test_a_picture_of_a_stream_is_one_chunk() -> None:
    job = jobs.streams(PICTURES, 1)

    size, _, part = job.heads[0][0].partition("\r\n")
    chunk = part.encode() + PICTURES[0] + job.tail
    assert len(chunk) == int(size, 16) + len(b"\r\n")
    assert chunk.endswith(PICTURES[0] + b"\r\n\r\n")


def test_a_form_is_as_long_as_it_says() -> None:
    job = jobs.forms(PICTURES, 1)

    head, _, part = job.heads[0][1].partition("\r\n\r\n")
    length = re.search(r"Content-Length: ([0-9]+)", head)
    assert length is not None
    assert int(length[1]) == len(part) + len(PICTURES[1]) + len(job.tail)
