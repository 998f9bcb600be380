"""Addresses of Stash servers: what a user may give, what Stash tells its plugins, and what is told in messages.

Pure. An address never carries a secret: user names and queries are refused without being repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ..errors import UsageError

FORM = "an address of a Stash is http://HOST:PORT or https://HOST:PORT, with a path where a proxy adds one"
_LOOPBACK = "127.0.0.1"
_ANY = ("", "0.0.0.0", "::")  # noqa: S104  what a server listens on, not what it is asked under


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Stash is: ``base`` is its root without a closing slash, ``trusted`` whether its certificate need
    not be checked (only for this machine's own, as Stash itself names it)."""

    base: str
    host: str
    trusted: bool = False

    @property
    def graphql(self) -> str:
        """The address of its GraphQL."""
        return f"{self.base}/graphql"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.host)


def parse(text: str) -> Address:
    """Read an address as a user gives it; raises UsageError (which never repeats user, password or query)."""
    parts = _split(text)
    if parts.scheme not in ("http", "https"):
        raise UsageError(FORM)
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"give no user and password in the address; {FORM}")
    if parts.query or parts.fragment:
        raise UsageError(f"give nothing after ? or # in the address; {FORM}")
    host = _reachable(parts.hostname or "")
    if not parts.netloc or host.startswith("-") or any(char.isspace() for char in text.strip()):
        raise UsageError(FORM)
    path = parts.path.rstrip("/").removesuffix("/graphql").rstrip("/")
    port = f":{parts.port}" if parts.port is not None else ""
    return Address(f"{parts.scheme}://{_bracketed(host)}{port}{path}", host)


def of_plugin(server: Mapping[str, Any]) -> Address:
    """Read the ``server_connection`` Stash gives its plugins; raises UsageError when it is not one.

    Stash passes its ``host`` setting as it is, which may be the address of all interfaces.
    """
    scheme, port = str(server.get("Scheme", "http")).lower(), server.get("Port", 9999)
    if scheme not in ("http", "https") or not str(port).isdecimal():
        raise UsageError("server_connection is not what Stash gives its plugins")
    host = _reachable(str(server.get("Host", "")).strip("[]"))
    return Address(f"{scheme}://{_bracketed(host)}:{port}", host, trusted=is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by its name or number."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirected(asked: str, location: str) -> str:
    """Where a redirect of ``asked`` leads, fit for a message: no user, no query, no /graphql."""
    parts = _split(urljoin(asked, location))
    host = _bracketed(parts.hostname or "")
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}{parts.path.removesuffix('/graphql')}"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError as error:
        raise UsageError(FORM) from error
    return parts


def _reachable(host: str) -> str:
    return _LOOPBACK if host in _ANY else host.lower()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
