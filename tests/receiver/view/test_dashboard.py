from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from receiver.app import create_app
from receiver.view import dashboard

RECEIVER = Path(dashboard.__file__).parent
FILES = sorted((RECEIVER / "static").iterdir())


@pytest.fixture
def client() -> FlaskClient:
    return create_app([dashboard.blueprint()], max_bytes=1024).test_client()


def test_the_page_allows_nothing_from_elsewhere_and_nothing_inline(client: FlaskClient) -> None:
    answer = client.get("/")

    assert answer.mimetype == "text/html"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "require-trusted-types-for 'script'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    inline = r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)"
    elsewhere = r"""(?:src|href)=["']?(?:[a-z]+:|//)"""
    assert not re.search(f"{inline}|{elsewhere}", answer.text)


def test_every_file_that_the_page_names_is_served(client: FlaskClient) -> None:
    text = client.get("/").text
    text += "".join(path.read_text() for path in FILES if path.suffix == ".js")

    named = set(re.findall(r'"(?:static|\.)/([a-z.]+)"', text))

    assert named == {path.name for path in FILES}
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for path in FILES:
        with client.get(f"/static/{path.name}") as answer:
            assert answer.status_code == 200
            assert answer.mimetype == types[path.suffix]


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".js"], ids=lambda p: p.name)
def test_a_script_writes_text_and_never_markup(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://"

    assert not re.search(forbidden, path.read_text())
    assert len(path.read_text().splitlines()) <= 150
