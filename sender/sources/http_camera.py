"""HttpCamera: ask a camera by HTTP, and say in one sentence why it did not answer."""

from __future__ import annotations

from urllib.parse import urljoin

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from urllib3.exceptions import HTTPError

from sender.sources.address import Address, parse
from sender.sources.attempt import Attempt, Overdue
from sender.sources.contract import Reason, SourceError
from sender.sources.events import Answered, Observe
from sender.sources.interrupt import Interrupt
from sender.sources.trouble import explain
from shared.errors import ConfigError

_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 5
_STATUSES: dict[int, tuple[Reason, str]] = {
    401: ("auth", "user name or password refused; give them in the URL, as USER:PASSWORD@HOST"),
    403: ("auth", "the server forbids it (403)"),
    404: ("not_found", "the server has nothing under this path (404)"),
    410: ("not_found", "the server has nothing under this path any more (410)"),
}


class HttpCamera:
    """GET from one camera; user and password go nowhere else, and only when it asks for them.

    No proxy and no .netrc of the environment is used. A redirect is followed when it keeps the
    scheme.
    """

    def __init__(
        self,
        address: Address,
        interrupt: Interrupt,
        *,
        timeout: float,
        observe: Observe | None = None,
    ) -> None:
        self._address = address
        self._interrupt = interrupt
        self._timeout = timeout
        self._observe = observe
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "Framepost", "Accept-Encoding": "identity"})
        self._auth: AuthBase | None = None

    def get(self, timeout: float) -> requests.Response:
        """Return the answer (200), its body unread, within `timeout` seconds; raise SourceError.

        The caller closes it.
        """
        name = self._address.shown
        attempt = Attempt(self._ask, discard=requests.Response.close, name=f"asking {name}")
        trouble: Exception
        try:
            return attempt.run(timeout, self._interrupt)
        except (requests.RequestException, HTTPError) as exc:
            trouble = root_of(exc)
        except Overdue:
            trouble = TimeoutError()
        raise explain(trouble, name)

    def close(self) -> None:
        """Close every connection; it may be used again."""
        self._session.close()

    def _ask(self) -> requests.Response:
        address = self._address
        for _ in range(_MAX_REDIRECTS):
            answer = self._ask_once(address)
            if answer.status_code == 401 and self._accept_challenge(answer, address):
                answer.close()
                answer = self._ask_once(address)
            if answer.status_code == 200:
                return answer
            answer.close()
            if answer.status_code not in _REDIRECTS:
                raise self._refusal(answer.status_code)
            address = self._follow(address, answer.headers.get("Location", ""))
        raise SourceError(
            f"{self._address.shown}: expected at most {_MAX_REDIRECTS} redirects", reason="format"
        )

    def _ask_once(self, address: Address) -> requests.Response:
        answer = self._session.get(
            address.bare,
            auth=self._auth if address.place == self._address.place else None,
            stream=True,
            timeout=self._timeout,
            allow_redirects=False,
        )
        if self._observe is not None:
            asked = answer.headers.get("WWW-Authenticate", "").lower()
            schemes = tuple(scheme for scheme in ("digest", "basic") if scheme in asked)
            server = answer.headers.get("Server", "")[:80]
            self._observe(Answered(answer.status_code, server, schemes))
        return answer

    def _accept_challenge(self, answer: requests.Response, address: Address) -> bool:
        """Get ready for what a 401 asks for; False when there is nothing that was not tried."""
        user, password = self._address.user, self._address.password or ""
        if user is None or self._auth is not None or address.place != self._address.place:
            return False
        asked = answer.headers.get("WWW-Authenticate", "").lower()
        if "digest" in asked:
            self._auth = HTTPDigestAuth(user, password)
        elif "basic" in asked:
            self._auth = HTTPBasicAuth(user, password)
        return self._auth is not None

    def _follow(self, address: Address, location: str) -> Address:
        name = self._address.shown
        try:
            target = parse(urljoin(address.bare, location))
        except ConfigError:
            raise SourceError(f"{name}: redirects to no URL", reason="format") from None
        if target.scheme != address.scheme:
            raise SourceError(
                f"{name}: redirects to {target.shown}; name that URL as the source if it is meant",
                reason="format",
            )
        return target

    def _refusal(self, status: int) -> SourceError:
        unknown: tuple[Reason, str] = (
            "refused" if status >= 500 else "format",
            f"expected an answer with status 200, got {status}",
        )
        reason, sentence = _STATUSES.get(status, unknown)
        return SourceError(f"{self._address.shown}: {sentence}", reason=reason)


def root_of(error: BaseException) -> Exception:
    """Return the socket's own error inside one of requests or urllib3, or the error itself."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or found in seen:
            continue
        seen.append(found)
        waiting += [*found.args, found.__cause__, found.__context__, getattr(found, "reason", None)]
    for kind in (OSError, HTTPError):
        for found in seen:
            if isinstance(found, kind) and not isinstance(found, requests.RequestException):
                return found
    if any(isinstance(found, requests.Timeout) for found in seen):
        return TimeoutError()
    return OSError(type(error).__name__)
