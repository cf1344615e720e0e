from __future__ import annotations

import pytest

from shared.access.tokens import Tokens
from tests.shared.access.tokens import GRANTED


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(GRANTED)
