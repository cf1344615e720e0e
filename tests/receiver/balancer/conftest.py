from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.receiver.balancer.fleet import Fleet


@pytest.fixture(scope="package")
def fleet() -> Iterator[Fleet]:
    """Two receivers behind the balancer, for tests that leave them as they are."""
    with Fleet() as fleet:
        yield fleet
