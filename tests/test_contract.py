"""docs/openapi.yaml against a live receiver: every answer is one that the document names."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import cv2
import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import positive_data_acceptance

from receiver.__main__ import Receiver as Service
from receiver.access.needs import unclassified
from receiver.config import ReceiverConfig
from shared import codec, pattern
from tests.program import ROOT, Receiver

DOCUMENT = ROOT / "docs" / "openapi.yaml"
BGR = pattern.draw(5, 160, 120)
JPEG = codec.encode(BGR, 80)
#: They answer for as long as the client listens; each has tests of its own.
ENDLESS = ("getEvents", "getLiveView", "getVideoFeed", "getWall", "getPage", "postStream")
#: What it starts a test would take for left behind; tests/receiver/hooking/test_routes.py has it.
RESTARTING = ("reloadHooks",)

PICTURES = {
    "image/jpeg": JPEG,
    "image/png": cv2.imencode(".png", BGR)[1].tobytes(),
    "image/webp": cv2.imencode(".webp", BGR)[1].tobytes(),
    "application/x-raw-bgr; width=160; height=120": BGR.tobytes(),
    "application/x-raw-rgb; width=160; height=120": BGR.tobytes(),
    "application/x-raw-gray; width=160; height=120": bytes(160 * 120),
    "application/x-raw-i420; width=160; height=120": bytes(160 * 120 * 3 // 2),
    "application/x-raw-nv12; width=160; height=120": bytes(160 * 120 * 3 // 2),
}
for media_type, picture in PICTURES.items():
    schemathesis.openapi.media_type(media_type, st.just(picture))
schemathesis.openapi.format("binary", st.just(JPEG))
# The digest of made-up bodies cannot be made up; this algorithm is none that is checked.
schemathesis.openapi.format("content-digest", st.just("unixsum=:MTIz:"))
schemathesis.openapi.format(
    "exchange",
    st.just(
        "sent=1700000000.100000; received=1700000000.101200; "
        "replied=1700000000.104400; seen=1700000000.105700"
    ),
)
INFERENCE = json.dumps(
    {"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 1, 3], "data": [1, 2, 3]}]}
).encode()
schemathesis.openapi.format("inference-header", st.just(str(len(INFERENCE))))
schemathesis.openapi.media_type("application/octet-stream", st.just(INFERENCE))
schemathesis.openapi.format("base64-jpeg", st.just(base64.b64encode(JPEG).decode()))

#: By default 411 and 413 are no refusals.
REFUSALS = {"negative_data_rejection": {"expected-statuses": ["4xx"]}}
schema = schemathesis.openapi.from_path(
    str(DOCUMENT), config=schemathesis.Config.from_dict({"checks": REFUSALS})
)

#: Of each operation; a long run asks for more, and for others (tests/survive).
EXAMPLES = int(os.environ.get("FRAMEPOST_EXAMPLES", "25"))


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    # Made-up names of cameras are many; a hook that answers at once never fills a queue.
    arguments = ["--max-cameras", "100000", "--hook", "tests.sightings:process"]
    arguments += ["--record", str(tmp_path_factory.mktemp("recordings"))]
    with Receiver(*arguments) as receiver:
        receiver.wait_for("is ready")
        reply = requests.post(f"{receiver.url}/cameras/door/frames", JPEG, timeout=30)
        assert reply.status_code == 202
        yield receiver
        told = requests.get(f"{receiver.url}/metrics", timeout=30).text
        counts = re.findall(r"(?m)^framepost_http_requests_total\{.*\} ([0-9.e+]+)$", told)
        print(f"\n{sum(map(float, counts)):.0f} requests were answered")


@schema.exclude(operation_id=[*ENDLESS, *RESTARTING]).parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FRAMEPOST_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_names(case: Any, receiver: Receiver) -> None:
    # Whether these are right depends on more than the document can say: shapes, memory that exists.
    depends = case.operation.definition.raw["operationId"] in ("infer", "registerSharedMemory")
    case.call_and_validate(
        base_url=receiver.url, excluded_checks=[positive_data_acceptance] if depends else []
    )


def test_the_document_names_every_route_and_no_other() -> None:
    # The doors' forms are others'; of them the document names what a caller needs.
    others = ("/v1", "/v2", "/static")
    served = set()
    for rule in Service(ReceiverConfig.load([])).app.url_map.iter_rules():
        path = re.sub(r"<(?:camera|name)>", "{camera}", rule.rule)
        path = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", path)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        served |= {(path, method) for method in methods if not path.startswith(others)}
    told = {
        (path, method.upper())
        for path, item in yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
        for method in item
        if method in ("get", "put", "post", "delete") and not path.startswith(others)
    }

    assert served == told


def test_for_every_route_somebody_thought_of_who_may_use_it() -> None:
    """What is in no class is for admin alone; say in receiver/access/needs.py who it is for."""
    routes = Service(ReceiverConfig.load([])).app.url_map

    assert unclassified(rule.endpoint for rule in routes.iter_rules()) == []


def test_a_receiver_serves_the_document(receiver: Receiver) -> None:
    reply = requests.get(f"{receiver.url}/openapi.yaml", timeout=30)

    assert reply.content == DOCUMENT.read_bytes()
    assert reply.headers["Content-Type"] == "application/yaml"
