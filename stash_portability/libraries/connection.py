"""The transport to a running Stash: stashapp-tools' StashInterface with its faults cured. No query lives here.

Cured: errors come as GraphQL errors with HTTP 200, no time limit, no retry, a session cookie that is sent stale
beside its successor, a full introspection at every start. Only reads are ever sent twice.
"""

from __future__ import annotations

import io
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from http.cookies import CookieError, SimpleCookie
from typing import IO, Any, TypeVar

import requests
from stashapi.stashapp import StashInterface

from ..errors import PortabilityError, StashSaidNo, TransientError, Unreachable, UsageError
from . import stash_address
from .stash_address import Address
from .stash_answers import Answer, Outcome, data_of, judge, outcome_of, question

T = TypeVar("T")

_COOKIE = "session"
_CHUNK = 1 << 18
_API_KEY = "query ApiKey{configuration{general{apiKey}}}"
_MOMENTARY = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, seconds without a byte, the pauses (seconds) before a read is tried again, the longest
    pause a server may ask for, and the largest answer (bytes, unpacked)."""

    connect: float = 10.0
    read: float = 120.0
    pauses: tuple[float, ...] = (0.2, 1.0, 3.0)
    longest_pause: float = 30.0
    bytes: int = 512 << 20


class Connection(StashInterface):  # type: ignore[misc]
    """A connection to one Stash. It may be used by two threads at once.

    ``call_GQL`` raises StashSaidNo for GraphQL errors, Refused, Unreachable, and TransientError for a read that
    did not succeed after all tries. Nothing it raises or logs holds a key or cookie.
    """

    def __init__(
        self,
        address: Address,
        *,
        api_key: str = "",
        cookie: str = "",
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self.url = address.graphql
        self.fragments: dict[str, str] = {}
        self.log = logging.getLogger(__name__)
        self.limits = limits or Limits()
        self.s = _session(address)
        self._key, self._cookie, self._sleep = api_key, cookie, sleep
        self._key_waits = bool(cookie) and not api_key
        self._key_proven = False

    def call_GQL(  # noqa: N802  StashInterface's name
        self, query: str, variables: Mapping[str, Any] | None = None, callback: object = None
    ) -> dict[str, Any]:
        """Send ``query`` and give the ``data`` of the answer. ``callback`` is StashInterface's, and unused."""
        del callback
        self._learn_key()
        body = question(query, variables)

        def once() -> dict[str, Any]:
            return data_of(self.address.base, self._exchange("POST", self.url, body))

        return self._patiently(once) if is_read(query) else self._firmly(once)

    def change(self, query: str, variables: Mapping[str, Any] | None = None) -> Outcome:
        """Send the changes ``query`` asks for, once, and give what came of each; raises what ``call_GQL`` does when
        that is not known (of StashSaidNo and Unreachable after it was sent: it may have been done)."""
        self._learn_key()
        body = question(query, variables)
        return self._firmly(lambda: outcome_of(self.address.base, self._exchange("POST", self.url, body)))

    def _GQL(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: N802
        return self.call_GQL(query, variables)

    def open(self, path: str) -> IO[bytes]:
        """Get what Stash serves under ``path`` ("/tag/1/image"); raises as ``call_GQL`` does."""
        self._learn_key()
        address = f"{self.address.base}{path}"
        return io.BytesIO(self._patiently(lambda: self._exchange("GET", address).body))

    def download(self, path: str) -> Iterator[bytes]:
        """Stream what Stash serves once under ``path``, however large; raises as ``call_GQL`` does."""
        self._learn_key()
        address = f"{self.address.base}{path}"
        try:
            with self._send("GET", address) as response:
                answer = Answer(response.status_code, dict(response.headers), b"")
                judge(self.address, address, answer, keyed=bool(self._key))
                yield from response.iter_content(_CHUNK)
        except requests.RequestException as error:
            raise Unreachable(address=self.address.base, reason=self._loss(error)) from error

    def close(self) -> None:
        """Close the kept connections."""
        self.s.close()

    def _learn_key(self) -> None:
        """Take Stash's own API key: a plugin's session ends after an hour (max_session_age), a key does not.
        The cookie is still sent, because Stash counts a plugin's hooks in it."""
        if not self._key_waits:
            return
        self._key_waits = False
        general = self.call_GQL(_API_KEY)["configuration"]["general"]
        self._key = general.get("apiKey") or ""

    def _patiently(self, once: Callable[[], T]) -> T:
        for pause in self.limits.pauses:
            try:
                return once()
            except TransientError as error:
                asked = min(float(error.words.get("after", 0)), self.limits.longest_pause)  # type: ignore[arg-type]
                self._sleep(max(pause, asked))
        try:
            return once()
        except TransientError as error:
            raise _lasting(error, error) from error

    def _firmly(self, once: Callable[[], T]) -> T:
        """Send a change once: whether it was done is not known when the answer is lost."""
        try:
            return once()
        except TransientError as error:
            raise _lasting(error, StashSaidNo(str(error.words["reason"]))) from error

    def _exchange(self, method: str, address: str, body: bytes | None = None) -> Answer:
        answer = self._request(method, address, body)
        if answer.status == 401 and self._key and not self._key_proven:
            answer = self._without_key(method, address, body, answer)
        judge(self.address, address, answer, keyed=bool(self._key))
        self._key_proven = True
        return answer

    def _without_key(self, method: str, address: str, body: bytes | None, refused: Answer) -> Answer:
        """Try again without the key: a Stash that has no key says 401 to any key, though it is open to all."""
        key, self._key = self._key, ""
        answer = self._request(method, address, body)
        if answer.status == 401:
            self._key = key
            return refused
        self.log.warning("this Stash is open and has no API key; the one given is not sent")
        return answer

    def _request(self, method: str, address: str, body: bytes | None) -> Answer:
        try:
            with self._send(method, address, body) as response:
                self._keep_cookie(response)
                return Answer(response.status_code, dict(response.headers), self._bounded(response))
        except requests.exceptions.SSLError as error:
            raise Unreachable(address=self.address.base, reason=_TLS) from error
        except _MOMENTARY as error:
            raise TransientError(address=self.address.base, reason=self._loss(error), lost=True) from error
        except requests.RequestException as error:
            raise Unreachable(address=self.address.base, reason=type(error).__name__) from error

    def _send(self, method: str, address: str, body: bytes | None = None) -> requests.Response:
        return self.s.request(
            method,
            address,
            data=body,
            headers=self._headers(),
            timeout=(self.limits.connect, self.limits.read),
            allow_redirects=False,
            stream=True,
        )

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, */*"}
        if self._key:
            headers["ApiKey"] = self._key
        if self._cookie:
            headers["Cookie"] = f"{_COOKIE}={self._cookie}"
        return headers

    def _keep_cookie(self, response: requests.Response) -> None:
        """Take the renewed session: the first one ends with max_session_age, each renewed one lives on."""
        if not self._cookie:
            return
        for header in response.raw.headers.getlist("Set-Cookie"):
            try:
                renewed = SimpleCookie(header).get(_COOKIE)
            except CookieError:
                continue
            if renewed is not None and renewed.value:
                self._cookie = renewed.value

    def _bounded(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self.limits.bytes:
                raise Unreachable(address=self.address.base, reason=f"an answer has over {self.limits.bytes} bytes")
        return bytes(body)

    def _loss(self, error: Exception) -> str:
        """Say what happened without requests' own words, which may quote headers or addresses."""
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return f"no connection within {self.limits.connect:g} seconds"
        if isinstance(error, requests.Timeout):
            return f"no answer within {self.limits.read:g} seconds"
        inner = repr(error)
        for sign, words in _LOSSES.items():
            if sign in inner:
                return words
        return "the connection was lost"


def connect(
    address: str, api_key: str = "", *, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep
) -> Connection:
    """Make a connection to the Stash at ``address`` (nothing is sent yet); raises UsageError for a bad address or
    an API key that cannot be one."""
    key = api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError("the API key holds characters no key has; copy it again")
    return Connection(stash_address.parse(address), api_key=key, limits=limits, sleep=sleep)


def from_plugin(
    server: Mapping[str, Any], *, limits: Limits | None = None, sleep: Callable[[float], None] = time.sleep
) -> Connection:
    """Make a connection from the ``server_connection`` Stash gives its plugins (nothing is sent yet)."""
    cookie = (server.get("SessionCookie") or {}).get("Value") or ""
    return Connection(stash_address.of_plugin(server), cookie=cookie, limits=limits, sleep=sleep)


def is_read(query: str) -> bool:
    """Whether ``query`` surely changes nothing, so that it may be sent again."""
    text = query.lstrip()
    return text.startswith(("query", "{")) and "mutation" not in text


def _lasting(error: TransientError, otherwise: PortabilityError) -> PortabilityError:
    if not error.words.get("lost"):
        return otherwise
    return Unreachable(address=error.words["address"], reason=error.words["reason"])


def _session(address: Address) -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if address.is_loopback:
        # No proxy and no .netrc between us and this machine; a certificate of the user's choice still counts.
        session.trust_env = False
        session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    if address.trusted:
        session.verify = False
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return session


_TLS = "its certificate is not trusted here; name the file of its authority in REQUESTS_CA_BUNDLE"
_LOSSES = {
    "NameResolutionError": "there is no such host",
    "refused": "nothing listens there (Stash's own port is 9999)",
    "No route": "there is no way to that host",
    "unreachable": "there is no way to that host",
    "reset": "the connection was cut",
    "RemoteDisconnected": "the connection was cut",
    "IncompleteRead": "the connection was cut",
}
