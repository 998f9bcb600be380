"""What Stash hands to a plugin: the call on stdin, and the plugin's settings.

Standard library only, and quick: the launcher reads the settings (where is the data folder?) before any library
is there, and a status has a fifth of a second for everything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import StashSaidNo, Unreachable, UsageError

SETTINGS = "query($id: [ID!]) { configuration { plugins(include: $id) } }"
SECONDS = 10
MOST_BYTES = 1 << 22
USUAL_ID = "stash-portability"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the arguments, and the ``server_connection`` to the Stash that calls (empty when started by hand)."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    server: Mapping[str, Any] = field(default_factory=dict, repr=False)
    data: str = ""
    """The data folder, when it was named by hand."""

    @property
    def mode(self) -> str:
        """Which task or operation this is."""
        return str(self.arguments.get("mode") or "")

    @property
    def config_folder(self) -> str | None:
        """The folder of Stash's config file."""
        return str(self.server.get("Dir") or "") or None

    @property
    def cookie(self) -> str:
        """The session cookie's value, which is as good as a password."""
        return str((self.server.get("SessionCookie") or {}).get("Value") or "")

    @property
    def plugin_id(self) -> str:
        """Our id in Stash: the name of the manifest it found in the plugin's folder."""
        folder = Path(str(self.server.get("PluginDir") or "."))
        manifests = sorted(path.stem for path in folder.glob("*.yml"))
        return USUAL_ID if not manifests or USUAL_ID in manifests else manifests[0]


def read_call(text: bytes) -> Call:
    """Read what Stash writes to our stdin; raises UsageError."""
    try:
        given = json.loads(text.decode("utf-8"))
        return Call(dict(given.get("args") or {}), dict(given["server_connection"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            "this is started by Stash, which tells it what to do; on a terminal use stash-portability, or"
            " launch.py --setup to install what is needed"
        ) from error


def by_hand(arguments: Sequence[str]) -> Call:
    """The call of somebody who runs launch.py by hand, to install the dependencies and see what goes wrong."""
    from argparse import ArgumentParser  # noqa: PLC0415 - Stash gives no arguments

    parser = ArgumentParser(prog="launch.py", description="Set up the libraries the plugin needs.")
    parser.add_argument("--setup", action="store_true", required=True, help="install what is missing")
    parser.add_argument("--data", metavar="DIR", default="", help="the plugin's data folder")
    return Call({"mode": "setup"}, data=parser.parse_args(arguments).data)


def read_settings(call: Call) -> dict[str, str]:
    """The plugin's settings that are filled in, by one short query; raises Unreachable, StashSaidNo."""
    try:
        ours = ask(call, SETTINGS, {"id": [call.plugin_id]})["configuration"]["plugins"].get(call.plugin_id) or {}
        return {key: str(value).strip() for key, value in ours.items() if str(value).strip()}
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreachable(address=address_of(call), reason="what answers is no Stash") from error


def ask(call: Call, query: str, variables: Mapping[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    """Send ``query`` to the Stash that calls, once, and give the data of its answer; raises Unreachable (also when
    it takes more than ``seconds``), StashSaidNo."""
    from http.client import HTTPException  # noqa: PLC0415 - not needed when started by hand

    try:
        answer = _post(call, json.dumps({"query": query, "variables": variables}), seconds)
        if answer.get("errors"):
            raise StashSaidNo(str(answer["errors"][0].get("message")))
        return dict(answer["data"])
    except TimeoutError as error:
        raise Unreachable(address=address_of(call), reason=f"it took more than {seconds:g} seconds") from error
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(address=address_of(call), reason=getattr(error, "strerror", None) or error) from error
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise Unreachable(address=address_of(call), reason="what answers is no Stash") from error


def address_of(call: Call) -> str:
    """The Stash that calls, for messages."""
    return f"{call.server.get('Host')}:{call.server.get('Port')}"


def _post(call: Call, body: str, seconds: float) -> dict[str, Any]:
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

    from .libraries.stash_address import of_plugin  # noqa: PLC0415

    address = of_plugin(call.server)
    port = int(call.server.get("Port", 9999))
    if address.base.startswith("https:"):
        connection: HTTPConnection = HTTPSConnection(address.host, port, timeout=seconds, context=_context(address))
    else:
        connection = HTTPConnection(address.host, port, timeout=seconds)
    headers = {"Content-Type": "application/json", "Cookie": f"session={call.cookie}"}
    try:
        connection.request("POST", "/graphql", body, headers)
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"it answered with status {response.status}")
        answer: dict[str, Any] = json.loads(response.read(MOST_BYTES))
        return answer
    finally:
        connection.close()


def _context(address: Any) -> Any:
    """Check the certificate, but not this machine's own: Stash makes it itself, for another name."""
    import ssl  # noqa: PLC0415 - only with https

    context = ssl.create_default_context()
    if address.trusted:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
