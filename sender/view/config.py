"""The settings of the status port and of the pictures on it, a part of the sender's."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sender.values import Port, Switch
from shared.access.network import is_this_machine
from shared.access.own_token import OwnToken
from shared.settings import Expect, Settings


class ViewConfig(Settings):
    """What is to be had at the sender itself, and who may see it."""

    status_host: str = Field(
        "127.0.0.1",
        description="address of /healthz, /metrics, /status, and of the page with live pictures",
    )
    status_port: Port | None = Field(None, description="their port, 0 for any; default: none")
    status_viewers: Annotated[int, Field(ge=1, le=256), Expect("a whole number from 1 to 256")] = (
        Field(16, description="how many live streams there at most")
    )
    view_token: OwnToken | None = Field(
        None,
        description="the token that whoever wants pictures there needs; better in"
        " SENDER_VIEW_TOKEN than here; default: none on this machine, and no pictures beyond it",
    )
    insecure: Switch = Field(
        False, description="show them beyond this machine to everybody, without a token"
    )

    @property
    def view_secret(self) -> str | None:
        """The token itself."""
        return self.view_token.get_secret_value() if self.view_token else None

    @property
    def is_exposed(self) -> bool:
        """Whether other machines may come, and nothing says which of them may see pictures."""
        is_guarded = self.view_token is not None or self.insecure
        return not is_guarded and not is_this_machine(self.status_host)
