from __future__ import annotations

from tests.receiver.view.browser.conftest import browser, page

__all__ = ["browser", "page"]
