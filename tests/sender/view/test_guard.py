from __future__ import annotations

import base64

import pytest
import requests

from tests.sender.view.stage import Stage

TOKEN = "0123456789-a-token-to-look"
PICTURES = ["/", "/cameras/cam1/frame.jpg", "/cameras/cam1/stream.mjpg"]
PICTURES += ["/video_feed", "/?action=snapshot", "/nothing/here"]
OPEN = ["/healthz", "/metrics", "/status", "/static/page.js"]


def basic(token: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'x:{token}'.encode()).decode()}"}


@pytest.mark.parametrize("path", PICTURES)
def test_beyond_this_machine_nobody_sees_pictures_without_a_token(path: str) -> None:
    with Stage(is_exposed=True) as stage:
        stage.show()
        answer = stage.get(path)

    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == (
        "pictures: expected SENDER_VIEW_TOKEN to be set where SENDER_STATUS_HOST is not this"
        " machine alone, got none; or --insecure if everybody may see them"
    )


@pytest.mark.parametrize("path", PICTURES)
def test_with_a_token_who_brings_it_sees_pictures_and_nobody_else(path: str) -> None:
    with Stage(token=TOKEN) as stage:
        stage.show()
        without = stage.get(path)
        wrong = stage.get(path, headers={"Authorization": "Bearer 0123456789-another-token"})
        right = [
            stage.get(path, headers=headers, stream=True)
            for headers in ({"Authorization": f"Bearer {TOKEN}"}, basic(TOKEN))
        ]
        for answer in right:
            answer.close()

    assert (without.status_code, wrong.status_code) == (401, 401)
    # A browser that opens the page, and a player, ask for the password then.
    assert without.headers["WWW-Authenticate"].startswith('Basic realm="Framepost"')
    expected = 404 if path == "/nothing/here" else 200
    assert [answer.status_code for answer in right] == [expected, expected]
    assert TOKEN not in without.text + wrong.text


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("given", [{"token": TOKEN}, {"is_exposed": True}, {}])
def test_numbers_are_for_everybody_as_they_are_without_pictures(
    path: str, given: dict[str, object]
) -> None:
    with Stage(**given) as stage:
        assert stage.get(path, headers={"Host": "sender.example.com"}).status_code == 200


def test_who_guesses_tokens_has_to_wait() -> None:
    with Stage(token=TOKEN) as stage:
        answers = [
            stage.get("/", headers={"Authorization": f"Bearer wrong-0123456789-{n}"})
            for n in range(30)
        ]
        right = stage.get("/", headers={"Authorization": f"Bearer {TOKEN}"})
        refused = stage.value("refused_access_total", reason="limited")

    assert {answer.status_code for answer in answers} == {401, 429}
    assert right.status_code == 429
    assert refused >= 1


def test_a_page_of_another_name_for_this_machine_sees_nothing() -> None:
    with Stage() as stage:
        stage.show()
        strange = stage.get("/cameras/cam1/frame.jpg", headers={"Host": "evil.example.com"})
        ours = stage.get("/cameras/cam1/frame.jpg", headers={"Host": "door-sender.local:8001"})

    assert (strange.status_code, ours.status_code) == (421, 200)
    assert "any name once SENDER_VIEW_TOKEN is set, got 'evil.example.com'" in strange.text


def test_no_other_site_may_read_and_nothing_can_be_changed() -> None:
    with Stage() as stage:
        stage.show()
        answer = stage.get("/cameras/cam1/frame.jpg", headers={"Origin": "http://evil.example"})
        posted = requests.post(f"{stage.url}/cameras/cam1/frame.jpg", b"x", timeout=30)

    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert (posted.status_code, posted.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
