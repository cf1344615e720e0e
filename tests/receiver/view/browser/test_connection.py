"""The one connection: what comes on it is bounded, and so is what is made of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from shared import codec, pattern
from tests.program import Receiver
from tests.receiver.view.browser.seeing import connect, numbers, part, shows, until
from tests.receiver.view.browser.stage import Stage

#: Counts, for each of the display's frames, how many pictures were begun to be decoded in it.
COUNT = """
    window.decoded = [];
    const real = window.createImageBitmap.bind(window);
    window.createImageBitmap = (blob) => {
        window.decoded.push(document.timeline.currentTime);
        return real(blob);
    };
"""


def test_a_body_that_is_none_of_ours_is_given_up_at_once(page: Page, stage: Stage) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.route("**/live?*", lambda route: route.fulfill(body=b"\xff" * 64))
    page.goto(stage.url)

    expect(page.locator("#trouble p")).to_contain_text("does not answer")
    assert any("what is no record" in text for text in said)


def test_no_picture_is_decoded_that_a_newer_one_replaced(page: Page, stage: Stage) -> None:
    page.add_init_script(COUNT)
    connect(page, stage.url)
    stage.publish(1)
    shows(page, part(page, "canvas"), 1)

    for seq in range(2, 300):
        stage.publish(seq)
    shows(page, part(page, "canvas"), 299)

    times = page.evaluate("window.decoded")
    assert len(times) < 250
    assert len(times) == len(set(times))


def test_a_body_cut_anywhere_is_read_all_the_same(page: Page, stage: Stage) -> None:
    page.goto(stage.url)
    cuts = """async () => {
        const { RecordReader } = await import("/static/records.js");
        const encode = (head, body) => {
            const bytes = new TextEncoder().encode(JSON.stringify(head));
            const record = new Uint8Array(8 + bytes.length + body.length);
            const lengths = new DataView(record.buffer);
            lengths.setUint32(0, bytes.length);
            lengths.setUint32(4, body.length);
            record.set(bytes, 8);
            record.set(body, 8 + bytes.length);
            return record;
        };
        const records = [["a", 0], ["b\u00e9", 3], ["c", 5000], ["d", 1]];
        const bytes = ([kind, n]) => [...encode({ kind }, new Uint8Array(n).fill(n))];
        const whole = records.flatMap(bytes);
        const wrong = [];
        for (const size of [1, 2, 3, 7, 8, 9, 64, 1000, 4999, 5031, whole.length]) {
            const reader = new RecordReader();
            const found = [];
            for (let at = 0; at < whole.length; at += size) {
                found.push(...reader.push(new Uint8Array(whole.slice(at, at + size))));
            }
            const same = found.length === 4 && found.every(({ head, body }, n) =>
                head.kind === records[n][0] && body.length === records[n][1]
                && body.every((byte) => byte === records[n][1] % 256));
            if (!same) wrong.push(size);
        }
        return wrong;
    }"""

    assert page.evaluate(cuts) == []


@pytest.mark.parametrize("token", ["", "a-long-enough-token-of-the-page"])
def test_a_real_receiver_shows_what_is_posted(page: Page, token: str) -> None:
    headers = {"Content-Type": "image/jpeg"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    with Receiver(env={"RECEIVER_TOKEN": token} if token else {}) as receiver:
        page.goto(receiver.url)
        if token:
            page.get_by_role("textbox", name="Token").fill(token)
            page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_have_text("connected")
        for seq in (1, 2):
            for camera in ("cam1", "cam2"):
                answer = page.request.post(
                    f"{receiver.url}/cameras/{camera}/frames",
                    data=codec.encode(pattern.draw(seq, 320, 180), 80),
                    headers=headers,
                )
                assert answer.status == 202
            until(lambda seq=seq: numbers(page) == {"cam1": seq, "cam2": seq}, page)  # type: ignore[misc]
        page.close()
