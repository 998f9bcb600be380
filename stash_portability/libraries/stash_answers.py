"""What goes over HTTP to GraphQL, and what an answer means: which error it is, or its data. Pure.

Stash says errors with HTTP 200 (401 for a key, 400 and 422 for a query), and what stands before it (a proxy, a
login page, another server) says them in its own ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .. import json_text
from ..errors import PortabilityError, Refused, StashSaidNo, TransientError, Unreachable
from .stash_address import Address, redirected

_LONGEST_REASON = 300
_LOGIN_SIGNS = (b"password", b"login", b"log in", b"sign in")
_BUSY = (429, 502, 503, 504)
_GRAPHQL = (200, 400, 422)


class Answer(NamedTuple):
    """An answer as it came: status, headers, body (unpacked)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Mistake(NamedTuple):
    """One error of a GraphQL answer: Stash's words, and where (the alias first, or "variable" and its name)."""

    message: str
    path: tuple[str | int, ...]


class Outcome(NamedTuple):
    """What a request that changes several things brought: the data there is, and what went wrong. One that failed
    and may not be null takes all data away, though the others were done."""

    data: Mapping[str, Any]
    mistakes: tuple[Mistake, ...]


def question(query: str, variables: Mapping[str, Any] | None) -> bytes:
    """The body of a request that asks ``query``."""
    return json_text.dumps({"query": query, "variables": variables or {}})


def judge(address: Address, asked: str, answer: Answer, *, keyed: bool) -> None:
    """Given an answer to a request of ``asked``, return when Stash can have given it; raises Refused,
    Unreachable, or TransientError where trying again may help."""
    status = answer.status
    if status in _BUSY:
        after = _header(answer, "Retry-After")
        wait = int(after) if after.isdecimal() else 0
        raise TransientError(address=address.base, reason=f"it answered {status}", after=wait)
    error = _refusal(address, asked, answer, keyed)
    if error is not None:
        raise error
    if status not in _GRAPHQL:
        raise Unreachable(address=address.base, reason=_WORDS.get(status, f"it answered {status}"), status=status)


def _refusal(address: Address, asked: str, answer: Answer, keyed: bool) -> PortabilityError | None:
    if answer.status == 401:
        return Refused(address=address.base, reason="the API key is wrong" if keyed else "it wants an API key")
    if answer.status == 403:
        return Refused(address=address.base, reason=_forbidden(answer.body))
    if 300 <= answer.status < 400:
        return _redirect(address, asked, answer)
    if "/graphql" in asked and answer.body.lstrip()[:1] == b"<":
        return _page(address, answer.body)
    return None


def _redirect(address: Address, asked: str, answer: Answer) -> PortabilityError:
    """A redirect is never followed: the key and the records would go to whom it names."""
    target = redirected(asked, _header(answer, "Location"))
    if urlsplit(target).path.rstrip("/").endswith("/login"):
        return Refused(address=address.base, reason="it wants a login")
    reason = f"it redirects to {target}; if that is your Stash, give that address"
    return Unreachable(address=address.base, reason=reason)


def _page(address: Address, body: bytes) -> PortabilityError:
    if any(sign in body.lower() for sign in _LOGIN_SIGNS):
        return Refused(address=address.base, reason="what answers is a login page")
    return Unreachable(address=address.base, reason="what answers is a web page, not Stash's GraphQL")


def _forbidden(body: bytes) -> str:
    if b"internet" in body:
        return "it was reached from the internet without a password and has locked itself"
    return "it answered 403 (forbidden)"


def data_of(base: str, answer: Answer) -> dict[str, Any]:
    """The data of a GraphQL answer; raises StashSaidNo (its words: ``reason``, and of that ``message`` and ``path``,
    a tuple) for any error in it, even where data came along, and TransientError when the database was locked."""
    document = _document(base, answer)
    errors = document.get("errors")
    if errors:
        raise _said(base, errors)
    data = document["data"]
    if not isinstance(data, dict):
        raise StashSaidNo("the answer is empty", message="the answer is empty", path=())
    return data


def outcome_of(base: str, answer: Answer) -> Outcome:
    """The data and the errors of a GraphQL answer, both; raises Unreachable for what is none."""
    document = _document(base, answer)
    data, errors = document.get("data"), document.get("errors")
    mistakes = [_mistake(error) for error in errors] if isinstance(errors, list) else []
    return Outcome(data if isinstance(data, dict) else {}, tuple(mistakes))


def _document(base: str, answer: Answer) -> dict[str, Any]:
    try:
        document = json_text.loads(answer.body)
    except json_text.JSONDecodeError as error:
        raise Unreachable(address=base, reason="what answers does not speak GraphQL") from error
    if not isinstance(document, dict) or ("data" not in document and "errors" not in document):
        raise Unreachable(address=base, reason="what answers does not speak GraphQL")
    return document


def _mistake(error: Any) -> Mistake:
    words = error if isinstance(error, dict) else {}
    return Mistake(_short(str(words.get("message") or "no reason given")), tuple(words.get("path") or ()))


def _said(base: str, errors: Any) -> PortabilityError:
    message, path = _mistake(errors[0] if isinstance(errors, list) else None)
    if "database is locked" in message:
        return TransientError(address=base, reason="the database is locked")
    place = ".".join(str(step) for step in path)
    return StashSaidNo(f"{message} (at {place})" if place else message, message=message, path=path)


def _short(message: str) -> str:
    """Both ends of a long message: Stash quotes whole SQL statements, with the reason last."""
    if len(message) <= _LONGEST_REASON:
        return message
    half = _LONGEST_REASON // 2
    return f"{message[:half]} … {message[-half:]}"


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers.items() if key.lower() == name.lower()), "")


_WORDS = {
    404: "there is no GraphQL at this address (404)",
    405: "there is no GraphQL at this address (405)",
    413: "a proxy refuses requests of this size (413)",
}
