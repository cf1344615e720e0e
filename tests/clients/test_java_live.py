from __future__ import annotations

import json
import threading

import pytest

from tests.clients.conftest import MakeFolder
from tests.clients.event_server import EVENTS, TEXT, cut, event_server
from tests.clients.java import Scripts
from tests.clients.servers import Answer, Request, ScriptedServer, accepted, problem
from tests.program import Receiver

#: A sender `sender` of frames that are encoded at once; `offer` gives it one whose bytes are text.
SENDER = """
FramepostClient client = FramepostClient.builder(url, "a").build();
LatestFrameSender sender = LatestFrameSender.builder(client).start();
ToLongFunction<Object> offer = text -> sender.offer(text.toString().getBytes());
"""


def test_while_the_receiver_is_slow_only_the_newest_frame_waits_and_only_it_is_encoded(
    java: Scripts,
) -> None:
    slow = threading.Event()
    script = (
        SENDER
        + """
        List<Integer> encoded = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 20; i++) {
          int number = i;
          long seq = sender.offer(() -> {
            encoded.add(number);
            return Frame.jpeg(("" + number).getBytes());
          });
          if (seq != i) throw new Error("seq " + seq);
          until(() -> encoded.size() == 1);
        }
        tell(map(sender.counts()));
        sender.close();
        tell(map(sender.counts()));
        tell(encoded.toArray());
        """
    )
    with (
        ScriptedServer(lambda r: accepted_after(r, slow)) as server,
        java.start(server.url, script) as program,
    ):
        program.wait_for("waiting")
        server.wait_for(1)
        slow.set()
        assert program.wait(seconds=90) == 0, program.output

    assert [(request.seq, request.body) for request in server.requests] == [(0, b"0"), (19, b"19")]
    assert server.connections == 1
    before, after, encoded = (json.loads(line) for line in program.lines)
    assert before == [counts(captured=20, superseded=18, waiting=2)]
    assert after == [counts(captured=20, superseded=18, posted=2)]
    assert encoded == [0, 19]


def test_a_frame_was_captured_when_it_was_offered_not_when_it_was_encoded(java: Scripts) -> None:
    script = (
        SENDER
        + """
        Instant before = Instant.now();
        CountDownLatch offered = new CountDownLatch(1);
        sender.offer(() -> {
          offered.await();
          return Frame.jpeg(jpeg);
        });
        Instant after = Instant.now();
        until(() -> Instant.now().isAfter(after.plusMillis(1)));
        offered.countDown();
        until(() -> sender.counts().posted() == 1);
        sender.offer(Frame.jpeg(jpeg).capturedAt(Instant.ofEpochSecond(1700000000)));
        sender.close();
        tell(Duration.between(Instant.EPOCH, before).toNanos() / 1000);
        tell(Duration.between(Instant.EPOCH, after).toNanos() / 1000);
        """
    )
    with ScriptedServer() as server:
        [[before], [after]] = java.run(server.url, script)

    own, given = (request.headers["x-timestamp"] for request in server.requests)
    assert before <= int(own.replace(".", "")) <= after
    assert given == "1700000000.000000"


def test_the_books_close_at_every_moment(java: Scripts) -> None:
    with ScriptedServer([problem(422, "no"), Answer(cut=0), Answer(close=True)]) as server:
        script = (
            SENDER
            + """
            while (sender.counts().posted() < 3) {
              offer.applyAsLong("jpeg");
              tell(map(sender.counts()));
              Thread.sleep(1);
            }
            sender.close();
            tell(map(sender.counts()));
            """
        )
        seen = [moment for (moment,) in java.run(server.url, script)]

    for c in seen:
        ends = c["posted"] + c["superseded"] + c["refused"] + c["failed"]
        assert c["captured"] == ends + c["waiting"], c
    assert (seen[-1]["refused"], seen[-1]["waiting"]) == (1, 0)


def test_every_reply_and_every_trouble_is_told_with_the_frames_number(java: Scripts) -> None:
    with ScriptedServer([problem(415, "a poem")]) as server:
        script = """
        BlockingQueue<Object[]> told = new LinkedBlockingQueue<>();
        LatestFrameSender sender =
            LatestFrameSender.builder(FramepostClient.builder(url, "a").build())
                .waitForResult(Duration.ofSeconds(3))
                .onReply(reply -> told.add(new Object[] {reply.seq(), reply.state()}))
                .onTrouble(trouble -> told.add(new Object[] {trouble.seq(), trouble.getMessage()}))
                .start();
        for (int i = 0; i < 3; i++) {
          if (i == 2) sender.offer(() -> { throw new IOException("no paper"); });
          else sender.offer(jpeg);
          tell(told.take());
        }
        tell(map(sender.counts()));
        """
        told = java.run(server.url, script)

    assert told[:3] == [
        [0, "415: a poem"],
        [1, "accepted"],
        [2, "a frame could not be encoded: java.io.IOException: no paper"],
    ]
    assert told[3] == [counts(captured=3, posted=1, refused=1, failed=1)]
    assert {request.headers["prefer"] for request in server.requests} == {"wait=3"}


def test_a_frame_that_cannot_be_encoded_does_not_hold_up_the_next(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = (
            SENDER
            + """
            long began = System.nanoTime();
            for (int i = 0; i < 40; i++) { // one after the other; with pauses it would be 30 s
              sender.offer(() -> null);
              long failed = i + 1;
              until(() -> sender.counts().failed() == failed);
            }
            tell((System.nanoTime() - began) / 1e9 < 15);
            """
        )
        assert java.run(server.url, script) == [[True]]


def test_a_bug_in_a_callback_is_loud_and_ends_the_sender(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = """
        LatestFrameSender sender =
            LatestFrameSender.builder(FramepostClient.builder(url, "a").build())
                .onReply(reply -> { throw new ArithmeticException("my own bug"); })
                .start();
        while (true) {
          try {
            sender.offer(jpeg);
          } catch (IllegalStateException e) {
            tell(e.getMessage(), e.getCause().getMessage());
            sender.close();
            tell(map(sender.counts()).get("waiting"));
            break;
          }
          Thread.sleep(1);
        }
        """
        with java.start(server.url, script) as program:
            assert program.wait(seconds=90) == 0, program.output

    # The two streams are mixed, perhaps amid a line.
    assert "java.lang.ArithmeticException: my own bug" in program.output
    assert '["the sender is closed","my own bug"]' in program.output
    assert "[0]" in program.output


def test_after_trouble_it_pauses_longer_and_longer_and_no_frame_is_sent_twice(
    java: Scripts,
) -> None:
    with ScriptedServer([Answer(cut=0)] * 4) as server:
        script = (
            SENDER
            + """
            while (sender.counts().posted() < 1) {
              offer.applyAsLong("jpeg");
              Thread.sleep(1);
            }
            sender.close();
            """
        )
        java.run(server.url, script)

    times = [request.at for request in server.requests]
    # Half of 0.1, 0.2, 0.4 and 0.8 s is sure, the rest is jitter.
    assert times[3] - times[0] > 0.05 + 0.1 + 0.2
    assert times[4] - times[3] > 0.4
    seqs = [request.seq for request in server.requests]
    assert len(set(seqs)) == len(seqs)


def test_it_comes_back_when_the_receiver_asks_it_to_and_brings_what_is_newest_then(
    java: Scripts,
) -> None:
    with ScriptedServer([problem(503, "overloaded", Retry_After="1")]) as server:
        script = (
            SENDER
            + """
            while (sender.counts().posted() < 1) {
              offer.applyAsLong(sender.counts().captured());
              Thread.sleep(1);
            }
            """
        )
        java.run(server.url, script)

    first, second = server.requests[:2]
    assert second.at - first.at > 0.95
    assert second.seq is not None
    assert second.seq > 20
    assert second.body == b"%d" % second.seq


def test_a_bad_frame_does_not_hold_up_the_next(java: Scripts) -> None:
    with ScriptedServer([problem(422, "cut off", Retry_After="60")]) as server:
        script = (
            SENDER
            + """
            offer.applyAsLong("bad");
            until(() -> sender.counts().refused() == 1);
            offer.applyAsLong("good");
            until(() -> sender.counts().posted() == 1);
            """
        )
        java.run(server.url, script)


def test_it_thins_out_as_the_receiver_wishes_and_counts_no_number_for_it(java: Scripts) -> None:
    with ScriptedServer(lambda r: accepted(r, X_Frame_Control="fps=5")) as server:
        script = """
        AtomicLong now = new AtomicLong(-1_000_000_000_000L);
        LatestFrameSender sender =
            LatestFrameSender.builder(FramepostClient.builder(url, "a").build())
                .clock(now::get)
                .start();
        sender.offer(jpeg);
        until(() -> sender.control().isPresent());
        long start = now.get();
        long leftOut = 0;
        for (int tick = 0; tick <= 60; tick++) { // two seconds at 30 a second
          now.set(start + tick * 1_000_000_000L / 30);
          if (sender.offer(jpeg) == -1) leftOut++;
        }
        now.addAndGet(60_000_000_000L); // a gap does not save up frames
        for (int i = 0; i < 3; i++) if (sender.offer(jpeg) == -1) leftOut++;
        until(() -> sender.counts().waiting() == 0);
        tell(map(sender.counts()), leftOut);
        """
        [[seen, left_out]] = java.run(server.url, script)

    assert seen["captured"] == 1 + 11 + 1
    assert seen["thinned"] == left_out == 61 - 11 + 2
    assert server.requests[-1].seq == 12


def test_it_can_be_told_not_to_obey_and_a_wish_ends_when_it_is_not_repeated(java: Scripts) -> None:
    wishes = iter(["fps=0.01; quality=5"] * 3)

    def wish(request: Request) -> Answer:
        return accepted(request, X_Frame_Control=next(wishes, ""))

    with ScriptedServer(wish) as server:
        script = """
        LatestFrameSender sender =
            LatestFrameSender.builder(FramepostClient.builder(url, "a").build())
                .obey(false)
                .start();
        for (int i = 0; i < 4; i++) {
          long number = i;
          if (sender.offer(jpeg) != number) throw new Error();
          until(() -> sender.counts().posted() > number);
          until(() -> sender.control().isPresent() == (number < 3));
        }
        """
        java.run(server.url, script)


def test_close_sends_what_waits_and_takes_no_more(java: Scripts) -> None:
    with ScriptedServer() as server:
        script = (
            SENDER
            + """
            CountDownLatch closing = new CountDownLatch(1);
            CountDownLatch taken = new CountDownLatch(1);
            sender.offer(() -> {
              taken.countDown();
              closing.await();
              return Frame.jpeg("0".getBytes());
            });
            taken.await();
            offer.applyAsLong("1");
            Thread other = new Thread(sender::close);
            other.start();
            until(() -> other.getState() == Thread.State.TIMED_WAITING);
            closing.countDown();
            other.join();
            tell(map(sender.counts()));
            try { sender.offer(jpeg); } catch (IllegalStateException e) { tell(e.getMessage()); }
            tell(client.send(jpeg).seq());
            """
        )
        told = java.run(server.url, script)

    assert told == [[counts(captured=2, posted=2)], ["the sender is closed"], [2]]
    assert [request.body for request in server.requests] == [b"0", b"1", b"jpeg"]


def test_close_ends_in_a_pause_at_once(java: Scripts) -> None:
    with ScriptedServer([problem(503, "later", Retry_After="60")]) as server:
        script = (
            SENDER.replace("build()", "timeout(Duration.ofMinutes(2)).build()")
            + """
            offer.applyAsLong("0");
            until(() -> sender.counts().refused() == 1);
            offer.applyAsLong("1");
            sender.close();
            tell(map(sender.counts()));
            """
        )
        assert java.run(server.url, script) == [[counts(captured=2, refused=1, failed=1)]]


def test_close_ends_though_the_receiver_never_answers_and_though_an_encoder_hangs(
    java: Scripts,
) -> None:
    with ScriptedServer(lambda _: Answer(silent=True)) as server:
        script = """
        FramepostClient client =
            FramepostClient.builder(url, "a").timeout(Duration.ofMillis(300)).build();
        LatestFrameSender sender = LatestFrameSender.builder(client).start();
        CountDownLatch taken = new CountDownLatch(1);
        sender.offer(() -> { taken.countDown(); return Frame.jpeg(jpeg); });
        taken.await();
        sender.offer(jpeg);
        sender.close();
        tell(map(sender.counts()));

        LatestFrameSender hanging = LatestFrameSender.builder(client).start();
        hanging.offer(() -> { new CountDownLatch(1).await(); return null; });
        hanging.close();
        tell(map(hanging.counts()));
        """
        told = java.run(server.url, script)

    assert told == [[counts(captured=2, failed=2)], [counts(captured=1, failed=1)]]


def test_close_may_be_called_by_a_callback_and_a_forgotten_sender_keeps_no_program(
    java: Scripts,
) -> None:
    with ScriptedServer() as server:
        script = """
        AtomicReference<LatestFrameSender> sender = new AtomicReference<>();
        CountDownLatch closed = new CountDownLatch(1);
        FramepostClient client =
            FramepostClient.builder(url, "a").timeout(Duration.ofMinutes(2)).build();
        sender.set(LatestFrameSender.builder(client)
            .onReply(reply -> { sender.get().close(); closed.countDown(); })
            .start());
        sender.get().offer(jpeg);
        closed.await();
        LatestFrameSender forgotten =
            LatestFrameSender.builder(FramepostClient.builder(url, "a").build()).start();
        forgotten.offer(jpeg);
        """
        java.run(server.url, script)


def test_frames_arrive_in_order_and_the_newest_is_processed(
    java: Scripts, witness: Receiver, make_folder: MakeFolder
) -> None:
    script = f"""
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("{make_folder(50)}")))
      {{ all.forEach(files::add); }}
    Collections.sort(files);
    List<Reply> replies = new CopyOnWriteArrayList<>();
    try (FramepostClient client = FramepostClient.builder(url, "javalive").build();
        LatestFrameSender sender = LatestFrameSender.builder(client)
            .waitForResult(Duration.ofSeconds(10)).onReply(replies::add).start()) {{
      for (Path file : files) {{
        sender.offer(() -> Frame.jpeg(Files.readAllBytes(file)));
        Thread.sleep(2);
      }}
    }}
    for (Reply reply : replies)
      tell(reply.state(), reply.seq(), reply.result("number"), reply.result("disorder"));
    """
    told = java.run(witness.url, script)

    assert len(told) > 1
    assert {state for state, *_ in told} == {"processed"}
    assert all(seq == number and disorder == 0 for _, seq, number, disorder in told)
    assert told[-1][1] == 49


# Results as they come


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_they_are_cut_into_chunks(size: int, java: Scripts) -> None:
    with event_server(*cut(TEXT, size)) as (url, _):
        script = """
        Events events = FramepostClient.builder(url, "a").build().events();
        for (int i = 0; i < 4; i++) {
          Event event = events.next();
          tell(event.id(), event.type(), event.data(), event.data("camera"));
        }
        """
        told = java.run(url, script)

    *first, (_, kind, data) = EVENTS
    # An id stays until another comes.
    assert [tuple(event[:3]) for event in told] == [*first, ("3", kind, data)]
    assert [event[3] for event in told] == ["a", None, None, None]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_data_of_several_lines_is_one_event_whatever_ends_them(end: str, java: Scripts) -> None:
    text = end.join([": hello", "event: a", "data: 1", "data: 2", "", "data", "nonsense", "", ""])
    with event_server(*cut(text.encode(), 1), b"data: x\n\n") as (url, _):
        script = """
        Events events = FramepostClient.builder(url, "a").build().events();
        for (int i = 0; i < 3; i++) {
          Event event = events.next();
          tell(event.type(), event.data());
        }
        """
        assert java.run(url, script) == [["a", "1\n2"], ["message", ""], ["message", "x"]]


def test_a_line_that_breaks_is_mended_and_goes_on_behind_the_last_id(java: Scripts) -> None:
    with event_server(b"id: 7\ndata: 1\n\nid: 8\n\nid: \xc3\xbc\ndata: {") as (url, asked):
        script = """
        Events events = FramepostClient.builder(url, "door").token("t0ken").build().events();
        for (int i = 0; i < 3; i++) tell(events.next().data());
        """
        assert java.run(url, script) == [[1], [1], [1]]

    assert asked[0].startswith("get /events?camera=door http/1.1")
    assert "authorization: bearer t0ken" in asked[0]
    assert "last-event-id" not in asked[0]
    assert "last-event-id: 8" in asked[1]


def test_a_line_that_falls_silent_is_opened_anew_and_close_ends_the_wait(java: Scripts) -> None:
    with event_server(b"id: 1\ndata: 1\n\n", hold=True) as (url, asked):
        script = """
        Events events = FramepostClient.builder(url, "a").build().events();
        events.silence(Duration.ofMillis(100));
        for (int i = 0; i < 2; i++) events.next();
        events.silence(Duration.ofMinutes(5));
        Thread main = Thread.currentThread();
        new Thread(() -> {
          while (main.getState() != Thread.State.TIMED_WAITING) Thread.onSpinWait();
          events.close();
        }).start();
        tell(events.next());
        """
        assert java.run(url, script) == [[None]]
    assert len(asked) == 2


def test_a_receiver_without_events_is_told_of_at_once_and_a_busy_one_is_asked_again(
    java: Scripts,
) -> None:
    answers = [
        problem(503, "draining", Retry_After="0"),
        problem(404, "no such"),
        Answer(200, b"<html>", {"Content-Type": "text/html"}),
    ]
    with ScriptedServer(answers) as server:
        script = """
        for (int i = 0; i < 2; i++) {
          try { FramepostClient.builder(url, "a").build().events().next(); }
          catch (FramepostException.Refused e) { tell(e.getMessage()); }
        }
        """
        assert java.run(server.url, script) == [
            ["404: no such"],
            ["200: expected text/event-stream, got text/html"],
        ]

    assert len(server.requests) == 3


def test_the_results_of_a_live_receiver_come_as_events(
    java: Scripts, witness: Receiver, make_folder: MakeFolder
) -> None:
    script = f"""
    try (FramepostClient client = FramepostClient.builder(url, "javaevents").build();
        Events events = client.events()) {{
      byte[] photo = Files.readAllBytes(Path.of("{make_folder(1, first=9)}/009.jpg"));
      Future<Event> event = Executors.newSingleThreadExecutor(task -> {{
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
      }}).submit(events::next);
      while (!event.isDone()) client.send(photo, Duration.ofSeconds(5));
      tell(event.get().type(), event.get().data("camera"), event.get().data("result", "number"));
    }}
    """
    assert java.run(witness.url, script) == [["result", "javaevents", 9]]


# What the tests are made of


def accepted_after(request: Request, event: threading.Event) -> Answer:
    answer = accepted(request)
    return Answer(answer.status, answer.body, answer.headers, after=event)


def counts(**some: int) -> dict[str, int]:
    names = ("captured", "posted", "superseded", "refused", "failed", "waiting", "thinned")
    return {name: some.get(name, 0) for name in names}
