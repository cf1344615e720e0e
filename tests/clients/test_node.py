from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from shared import pattern
from tests.clients.conftest import MakeFolder, blocks
from tests.clients.event_server import EVENTS, TEXT, cut, event_server
from tests.clients.example_contract import ExampleContract
from tests.clients.servers import (
    Answer,
    Request,
    ScriptedServer,
    accepted,
    problem,
    processed,
)
from tests.conftest import missing
from tests.program import ROOT, Command, Receiver

FOLDER = ROOT / "clients" / "node"
#: Before each script: `url` is the server's, `tell` prints a line of JSON, `until` waits.
PREFACE = f"""
import {{ readFileSync }} from "node:fs";
import {{ Client, FramepostError, NoReply, Refused }} from "{FOLDER}/framepost.mjs";
import {{ LatestFrameSender, events }} from "{FOLDER}/framepost-live.mjs";
const url = process.argv[2];
const jpeg = Buffer.from("jpeg");
const tell = (...things) => console.log(things.map((thing) => JSON.stringify(thing)).join(" "));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition) => {{ while (!condition()) await later(2); }};
"""

Run = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def _node() -> None:
    if shutil.which("node") is None:
        missing("node", "apt-get install nodejs (18 or newer)")


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str, str], Command]:
    """Start a script against the server at a URL."""

    def start(url: str, script: str) -> Command:
        path = tmp_path / "script.mjs"
        path.write_text(PREFACE + script, encoding="utf-8")
        return Command("node", str(path), url)

    return start


@pytest.fixture
def run(start: Callable[[str, str], Command]) -> Run:
    """Run a script to its end, and return what it told."""

    def run(url: str, script: str, *, status: int = 0) -> list[Any]:
        with start(url, script) as program:
            assert program.wait(seconds=90) == status, program.output
        return [json.loads(line) for line in program.lines] if status == 0 else program.lines

    return run


class TestExample(ExampleContract):
    command: ClassVar = ("node", str(FOLDER / "example.mjs"))


def test_the_lines_of_the_readme_work(
    make_folder: MakeFolder, witness: Receiver, tmp_path: Path
) -> None:
    make_folder(1, first=5)
    (tmp_path / "pictures" / "005.jpg").rename(tmp_path / "photo.jpg")
    first, *_ = blocks(FOLDER / "README.md", "js", url=witness.url)
    script = tmp_path / "lines.mjs"
    script.write_text(first.replace("./framepost", f"{FOLDER}/framepost"), encoding="utf-8")

    with Command("node", str(script), cwd=tmp_path) as program:
        assert program.wait() == 0, program.output

    assert program.lines[0].startswith("processed {")
    assert "number: 5" in program.output


# One frame, one reply


def test_a_reply_has_what_the_hook_returned_and_what_the_receiver_wishes(run: Run) -> None:
    wish = "fps=7.5; size=640x360; quality=70; mood=good"
    with ScriptedServer(lambda r: processed(r, [1, {"a": None}], X_Frame_Control=wish)) as server:
        script = 'tell(await new Client(url + "/", "cam.1-x_").send(jpeg, { wait: 1 }));'
        (reply,) = run(server.url, script)

    assert reply == {
        "status": 200,
        "state": "processed",
        "seq": 0,
        "result": [1, {"a": None}],
        "error": None,
        "timings": {"queue": 0.1, "decode": 2.31, "hook": 4.0, "total": 6.7},
        "control": {"fps": 7.5, "size": {"width": 640, "height": 360}, "quality": 70},
        "retryAfter": None,
    }


def test_a_wish_that_says_nothing_legible_is_none(run: Run) -> None:
    wishes = ["", "fps=0", "fps=-1; size=640", "quality=high", ";;=;", "fps="]
    rest = iter(wishes)
    with ScriptedServer(lambda r: accepted(r, X_Frame_Control=next(rest))) as server:
        script = f"""
        const client = new Client(url, "a");
        for (let i = 0; i < {len(wishes)}; i++) tell((await client.send(jpeg)).control);
        """
        assert run(server.url, script) == [None] * len(wishes)


def test_a_frame_can_be_asked_to_be_processed_whatever_comes(run: Run) -> None:
    with ScriptedServer() as server:
        run(server.url, 'await new Client(url, "a").send(jpeg, { every: true });')

    assert server.requests[0].query == {"mode": "every"}


def test_a_refusal_says_when_to_come_back(run: Run) -> None:
    asked = ["7", "1000", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"]
    answers = [problem(503, "not now", Retry_After=header) for header in asked]
    with ScriptedServer(answers) as server:
        script = """
        const client = new Client(url, "a");
        for (let i = 0; i < 4; i++) {
          const error = await client.send(jpeg).catch((error) => error);
          tell([error instanceof Refused, error.status, error.detail, error.retryAfter]);
        }
        """
        told = run(server.url, script)

    assert told == [[True, 503, "not now", seconds] for seconds in (7, 60, None, 0)]


def test_raw_pixels_reach_the_hook(run: Run, witness: Receiver, tmp_path: Path) -> None:
    image = np.ascontiguousarray(pattern.draw(41, 160, 120))
    (tmp_path / "pixels").write_bytes(image.tobytes())
    script = f"""
    const contentType = "application/x-raw-bgr; width=160; height=120";
    const pixels = readFileSync("{tmp_path}/pixels");
    tell((await new Client(url, "nodes").send(pixels, {{ contentType, wait: 10 }})).result.number);
    """
    assert run(witness.url, script) == [41]


def test_a_reply_too_long_is_given_up(run: Run) -> None:
    with ScriptedServer([Answer(200, bytes((16 << 20) + 1))]) as server:
        script = """
        const client = new Client(url, "a");
        const error = await client.send(jpeg).catch((error) => error);
        tell([error instanceof NoReply, error.reason, error.message]);
        tell((await client.send(jpeg)).state);
        """
        told = run(server.url, script)

    assert told == [[True, "protocol", "the reply is longer than 16777216 bytes"], "accepted"]


def test_times_of_a_reply_that_are_none_are_not_sent_back(run: Run) -> None:
    times = {"X-Received-At": "yesterday", "X-Replied-At": "1.5"}
    with ScriptedServer([Answer(202, {"state": "accepted"}, times)]) as server:
        script = """
        const client = new Client(url, "a");
        for (let i = 0; i < 3; i++) await client.send(jpeg);
        """
        run(server.url, script)

    _, second, third = server.requests
    assert "x-last-exchange" not in second.headers
    assert "x-last-exchange" in third.headers


def test_a_hundred_frames_go_through_one_connection(run: Run) -> None:
    with ScriptedServer([problem(422, "no")] * 10) as server:
        script = """
        const client = new Client(url, "a");
        for (let i = 0; i < 100; i++) await client.send(jpeg).catch(() => {});
        """
        run(server.url, script)

    assert len(server.requests) == 100
    assert server.connections == 1


def test_wrong_settings_are_told_at_once(run: Run) -> None:
    script = r"""
    for (const [url, camera, token] of [
      ["127.0.0.1:8000", "a"], ["ftp://x", "a"], ["http://x", "a/b"], ["http://x", ""],
      ["http://x", "a", "two\nlines"],
    ]) {
      try {
        tell(new Client(url, camera, { token }).camera);
      } catch (error) {
        tell(error.message.split(": expected")[0]);
      }
    }
    """
    assert run("", script) == ["url", "url", "camera", "camera", "token"]


# The newest frame


def test_while_the_receiver_is_slow_only_the_newest_frame_waits(
    start: Callable[[str, str], Command],
) -> None:
    slow = threading.Event()
    script = """
    const sender = new LatestFrameSender(new Client(url, "a"));
    for (let number = 0; number < 20; number++) sender.offer(Buffer.from(String(number)));
    tell(sender.counts);
    await sender.close();
    tell(sender.counts);
    """
    with (
        ScriptedServer(lambda r: accepted_after(r, slow)) as server,
        start(server.url, script) as program,
    ):
        program.wait_for("waiting")
        server.wait_for(1)
        slow.set()
        assert program.wait(seconds=90) == 0, program.output

    assert [(request.seq, request.body) for request in server.requests] == [(0, b"0"), (19, b"19")]
    assert server.connections == 1
    before, after = (json.loads(line) for line in program.lines)
    assert before == counts(captured=20, superseded=18, waiting=2)
    assert after == counts(captured=20, superseded=18, posted=2)


def test_the_books_close_at_every_moment(run: Run) -> None:
    with ScriptedServer([problem(422, "no"), Answer(cut=0), Answer(close=True)]) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        while (sender.counts.posted < 3) {
          sender.offer(jpeg);
          tell(sender.counts);
          await later(1);
        }
        await sender.close();
        tell(sender.counts);
        """
        seen = run(server.url, script)

    for c in seen:
        ends = c["posted"] + c["superseded"] + c["refused"] + c["failed"]
        assert c["captured"] == ends + c["waiting"]
    assert (seen[-1]["refused"], seen[-1]["waiting"]) == (1, 0)


def test_every_reply_and_every_trouble_is_told(run: Run) -> None:
    with ScriptedServer([problem(415, "a poem")]) as server:
        script = """
        let told = 0;
        const sender = new LatestFrameSender(new Client(url, "a"), {
          onReply: (frame, reply) => tell([frame.seq, reply.state, ++told]),
          onTrouble: (frame, error) => tell([frame.seq, error.message, ++told]),
        });
        sender.offer(jpeg);
        await until(() => told === 1);
        sender.offer(jpeg);
        await until(() => told === 2);
        await sender.close();
        """
        told = run(server.url, script)

    assert told == [[0, "415: a poem", 1], [1, "accepted", 2]]


def test_a_bug_in_a_callback_ends_the_program_aloud(run: Run) -> None:
    with ScriptedServer() as server:
        script = """
        const onReply = () => { throw new RangeError("my own bug"); };
        new LatestFrameSender(new Client(url, "a"), { onReply }).offer(jpeg);
        """
        lines = run(server.url, script, status=1)

    assert "my own bug" in "\n".join(lines)


def test_after_trouble_it_pauses_longer_and_longer_and_no_frame_is_sent_twice(run: Run) -> None:
    with ScriptedServer([Answer(cut=0)] * 4) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        while (sender.counts.posted < 1) {
          sender.offer(jpeg);
          await later(1);
        }
        await sender.close();
        """
        run(server.url, script)

    times = [request.at for request in server.requests]
    # Half of 0.1, 0.2, 0.4 and 0.8 s is sure, the rest is jitter.
    assert times[3] - times[0] > 0.05 + 0.1 + 0.2
    assert times[4] - times[3] > 0.4
    seqs = [request.seq for request in server.requests]
    assert len(set(seqs)) == len(seqs)


def test_it_comes_back_when_the_receiver_asks_it_to_and_brings_what_is_newest_then(
    run: Run,
) -> None:
    with ScriptedServer([problem(503, "overloaded", Retry_After="1")]) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"), {
          onReply: (frame) => tell([frame.seq, sender.counts.captured]),
        });
        while (sender.counts.posted < 1) {
          sender.offer(jpeg);
          await later(1);
        }
        await sender.close();
        """
        (seq, captured) = run(server.url, script)[0]

    first, second = server.requests[:2]
    assert second.at - first.at > 0.95
    assert second.seq == seq
    assert second.body == b"jpeg"
    assert captured > seq > 20


def test_it_pauses_as_well_when_a_frame_was_taken_and_the_receiver_asks_for_a_pause(
    run: Run,
) -> None:
    with ScriptedServer(lambda r: accepted(r, **({} if r.seq else {"Retry_After": "1"}))) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        while (sender.counts.posted < 2) {
          sender.offer(jpeg);
          await later(1);
        }
        await sender.close();
        """
        run(server.url, script)

    first, second = server.requests[:2]
    assert second.at - first.at > 0.95


def test_a_bad_frame_does_not_hold_up_the_next(run: Run) -> None:
    with ScriptedServer([problem(422, "cut off", Retry_After="60")]) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        sender.offer(jpeg);
        await until(() => sender.counts.refused === 1);
        sender.offer(jpeg);
        await until(() => sender.counts.posted === 1);
        """
        run(server.url, script)


def test_it_thins_out_as_the_receiver_wishes_and_counts_no_number_for_it(run: Run) -> None:
    with ScriptedServer(lambda r: accepted(r, X_Frame_Control="fps=5")) as server:
        script = """
        let now = 1000;
        const sender = new LatestFrameSender(new Client(url, "a"), { clock: () => now });
        sender.offer(jpeg);
        await until(() => sender.control);
        for (let tick = 0; tick < 841; tick++) { // thirty seconds at 28 a second
          now = 1000 + tick / 28;
          sender.offer(jpeg);
        }
        await sender.close();
        tell(sender.counts);
        """
        (seen,) = run(server.url, script)

    assert 149 <= seen["captured"] <= 153
    assert seen["captured"] + seen["thinned"] == 1 + 841
    assert server.requests[-1].seq == seen["captured"] - 1


def test_a_wish_ends_when_it_is_not_repeated(run: Run) -> None:
    wishes = iter(["fps=0.5"])

    def wish(request: Request) -> Answer:
        return accepted(request, X_Frame_Control=next(wishes, ""))

    with ScriptedServer(wish) as server:
        script = """
        let now = 0;
        const sender = new LatestFrameSender(new Client(url, "a"), { clock: () => now });
        sender.offer(jpeg);
        await until(() => sender.control);
        now = 10;
        sender.offer(jpeg);
        await until(() => !sender.control);
        sender.offer(jpeg);
        await sender.close();
        tell(sender.counts.thinned);
        """
        assert run(server.url, script) == [0]


def test_it_can_be_told_not_to_obey(run: Run) -> None:
    wish = "fps=0.01; quality=5"
    with ScriptedServer(lambda r: accepted(r, X_Frame_Control=wish)) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"), { obey: false });
        sender.offer(jpeg);
        await until(() => sender.control);
        tell(sender.control);
        sender.offer(jpeg);
        sender.offer(jpeg);
        await until(() => sender.counts.waiting === 0);
        tell(sender.control);
        tell(sender.counts.thinned);
        """
        told = run(server.url, script)

    control = {"fps": 0.01, "size": None, "quality": 5}
    assert told == [control, control, 0]


def test_close_sends_what_waits(run: Run) -> None:
    with ScriptedServer() as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        sender.offer(Buffer.from("0"));
        sender.offer(Buffer.from("1"));
        await sender.close();
        try {
          sender.offer(jpeg);
        } catch (error) {
          tell(error.message);
        }
        """
        told = run(server.url, script)

    assert told == ["the sender is closed"]
    assert [request.body for request in server.requests] == [b"0", b"1"]


def test_close_ends_in_a_pause_at_once(run: Run) -> None:
    with ScriptedServer([problem(503, "later", Retry_After="60")]) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a"));
        sender.offer(jpeg);
        await until(() => sender.counts.refused === 1);
        sender.offer(jpeg);
        await sender.close();
        tell(sender.counts);
        """
        assert run(server.url, script) == [counts(captured=2, refused=1, failed=1)]


def test_close_ends_though_the_receiver_never_answers(run: Run) -> None:
    with ScriptedServer(lambda _: Answer(silent=True)) as server:
        script = """
        const sender = new LatestFrameSender(new Client(url, "a", { timeout: 0.3 }));
        sender.offer(jpeg);
        sender.offer(jpeg);
        await sender.close();
        tell(sender.counts);
        """
        assert run(server.url, script) == [counts(captured=2, failed=2)]


def test_close_begins_no_exchange_when_its_time_is_over(
    start: Callable[[str, str], Command],
) -> None:
    slow = threading.Event()
    script = """
    let now = 0;
    const sender = new LatestFrameSender(new Client(url, "a"), { clock: () => now });
    sender.offer(jpeg);
    sender.offer(jpeg);
    const closing = sender.close();
    now = 6;
    tell("closing");
    await closing;
    tell(sender.counts);
    """
    with (
        ScriptedServer(lambda r: accepted_after(r, slow)) as server,
        start(server.url, script) as program,
    ):
        program.wait_for("closing")
        slow.set()
        assert program.wait(seconds=90) == 0, program.output

    assert json.loads(program.lines[-1]) == counts(captured=2, posted=1, failed=1)
    assert len(server.requests) == 1


# Results as they come


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_they_are_cut_into_chunks(size: int, run: Run) -> None:
    with event_server(*cut(TEXT, size)) as (url, _):
        script = """
        let count = 0;
        for await (const { id, kind, data } of events(url)) {
          tell([id, kind, data]);
          if (++count === 4) break;
        }
        """
        assert run(url, script) == [list(event) for event in EVENTS]


def test_a_character_that_is_cut_in_two_is_put_together(run: Run) -> None:
    at = TEXT.index("ü".encode()) + 1
    with event_server(TEXT[:at], TEXT[at:], pause=0.05) as (url, _):
        script = """
        for await (const { data } of events(url)) {
          tell(data);
          break;
        }
        """
        assert run(url, script) == [{"camera": "a", "result": "ü"}]


def test_a_line_that_breaks_is_mended_and_goes_on_behind_the_last_event(run: Run) -> None:
    with event_server(b"id: 7\ndata: 1\n\nid: 8\ndata: {") as (url, asked):
        script = """
        let count = 0;
        for await (const { id } of events(url, { camera: "door", token: "t0ken" })) {
          tell(id);
          if (++count === 3) break;
        }
        """
        assert run(url, script) == ["7", "7", "7"]

    assert asked[0].startswith("get /events?camera=door http/1.1")
    assert "authorization: bearer t0ken" in asked[0]
    assert "last-event-id" not in asked[0]
    assert "last-event-id: 7" in asked[1]


def test_a_line_that_falls_silent_is_opened_anew(run: Run) -> None:
    with event_server(b"id: 1\ndata: 1\n\n", hold=True) as (url, asked):
        script = """
        let count = 0;
        for await (const event of events(url, { silence: 0.1 })) if (++count === 2) break;
        """
        run(url, script)
    assert len(asked) >= 2


@pytest.mark.parametrize("when", ["listens", "pauses"])
def test_a_signal_ends_the_events(when: str, run: Run) -> None:
    with (
        event_server(b"id: 1\ndata: 1\n\n", hold=True) as (listening, _),
        ScriptedServer([problem(503, "busy", Retry_After="60")]) as busy,
    ):
        script = """
        const ending = new AbortController();
        const end = () => setTimeout(() => ending.abort(), 200);
        for await (const { id } of events(url, { signal: ending.signal })) { tell(id); end(); }
        """
        url = listening
        if when == "pauses":
            url, script = busy.url, script.replace("for await", "end(); for await")
        assert run(url, script) == (["1"] if when == "listens" else [])


def test_a_receiver_without_events_is_told_of_at_once_and_a_busy_one_is_asked_again(
    run: Run,
) -> None:
    answers = [problem(503, "draining", Retry_After="0"), problem(404, "no such")]
    with ScriptedServer(answers) as server:
        script = """
        const error = await events(url).next().catch((error) => error);
        tell([error instanceof Refused, error.message]);
        """
        assert run(server.url, script) == [[True, "404: no such"]]

    assert len(server.requests) == 2


def test_a_receiver_s_results_come_as_events(
    run: Run, witness: Receiver, make_folder: MakeFolder
) -> None:
    folder = make_folder(2, first=3)
    script = f"""
    const client = new Client(url, "node-events");
    const files = ["003", "004"].map((name) => readFileSync(`{folder}/${{name}}.jpg`));
    await client.send(files.shift(), {{ wait: 10 }});
    for await (const event of events(url, {{ camera: "node-events" }})) {{
      tell(event.data.result.number);
      if (!files.length) break;
      await client.send(files.shift(), {{ wait: 10 }});
    }}
    """
    assert run(witness.url, script) == [3, 4]


# What the tests are made of


def accepted_after(request: Request, event: threading.Event) -> Answer:
    answer = accepted(request)
    return Answer(answer.status, answer.body, answer.headers, after=event)


def counts(**some: int) -> dict[str, int]:
    names = ("captured", "posted", "superseded", "refused", "failed", "waiting", "thinned")
    return {name: some.get(name, 0) for name in names}
