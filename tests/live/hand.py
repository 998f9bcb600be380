"""A hand that writes into a Stash by GraphQL, and leaves out what that Stash does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .stash_server import StashServer

TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name } } }"
SCHEMA = """{ __schema {
  types { kind name fields(includeDeprecated: true) { name args { name } type { TYPE } }
          inputFields { name type { TYPE } } enumValues { name } }
  mutationType { fields(includeDeprecated: true) { name args { name type { TYPE } } type { TYPE } } } } }""".replace(
    "TYPE", TYPE
)


class Schema:
    """What a server has: the fields of its types, the keys of its inputs, its mutations."""

    def __init__(self, server: StashServer) -> None:
        found = server.graphql(SCHEMA)["__schema"]
        self.types: dict[str, dict[str, Any]] = {type_["name"]: type_ for type_ in found["types"]}
        self.mutations: dict[str, dict[str, Any]] = {one["name"]: one for one in found["mutationType"]["fields"]}

    def fields(self, type_: str) -> dict[str, dict[str, Any]]:
        """The fields of an object type by name; empty when there is no such type."""
        return {field["name"]: field for field in self.types.get(type_, {}).get("fields") or ()}

    def keys(self, input_: str) -> frozenset[str]:
        """The keys of an input type."""
        return frozenset(field["name"] for field in self.types.get(input_, {}).get("inputFields") or ())

    @property
    def partial_dates(self) -> bool:
        """Whether dates may be a year or a month: since the release that gave studios several URLs."""
        return "urls" in self.fields("Studio")


def named(type_: Mapping[str, Any]) -> str:
    """The name of a type below its lists and its exclamation marks."""
    while type_.get("ofType"):
        type_ = type_["ofType"]
    return str(type_["name"])


def spelled(type_: Mapping[str, Any]) -> str:
    """A type as a query writes it."""
    if type_["kind"] == "NON_NULL":
        return spelled(type_["ofType"]) + "!"
    if type_["kind"] == "LIST":
        return f"[{spelled(type_['ofType'])}]"
    return str(type_["name"])


class Hand:
    """Calls mutations by name."""

    def __init__(self, server: StashServer) -> None:
        self.server = server
        self.schema = Schema(server)

    def can(self, mutation: str) -> bool:
        """Whether the server has ``mutation``."""
        return mutation in self.schema.mutations

    def do(self, mutation: str, **arguments: Any) -> Any:
        """Call ``mutation`` with just the arguments and input keys the server has; give its id or its value."""
        known = self.schema.mutations[mutation]
        types = {arg["name"]: arg["type"] for arg in known["args"]}
        given = {name: self._fit(types[name], value) for name, value in arguments.items() if name in types}
        declared = ", ".join(f"${name}: {spelled(types[name])}" for name in given)
        passed = ", ".join(f"{name}: ${name}" for name in given)
        query = f"mutation({declared}) {{ {mutation}({passed}) {self._selection(known['type'])} }}"
        answer = self.server.graphql(query, given)[mutation]
        return answer["id"] if isinstance(answer, dict) and "id" in answer else answer

    def make(self, kind: str, **values: Any) -> str:
        """Create a record of ``kind`` ("tag", "sceneMarker", ...) and give its id."""
        return str(self.do(f"{kind}Create", input=values))

    def edit(self, kind: str, uid: str, **values: Any) -> None:
        """Update a record."""
        self.do(f"{kind}Update", input={"id": uid, **values})

    def ask(self, query: str, **variables: Any) -> Any:
        """Run a query and give the value of its only field."""
        (answer,) = self.server.graphql(query, variables).values()
        return answer

    def _selection(self, type_: Mapping[str, Any]) -> str:
        fields = self.schema.fields(named(type_))
        return "" if not fields else "{ id }" if "id" in fields else "{ __typename }"

    def _fit(self, type_: Mapping[str, Any], value: Any) -> Any:
        """Leave out of ``value`` the keys its input type does not have, also inside."""
        if isinstance(value, list):
            return [self._fit(type_, one) for one in value]
        inputs = {one["name"]: one for one in self._inputs(named(type_))}
        if not isinstance(value, dict) or not inputs:
            return value
        return {key: self._fit(inputs[key]["type"], one) for key, one in value.items() if key in inputs}

    def _inputs(self, name: str) -> list[dict[str, Any]]:
        return self.schema.types.get(name, {}).get("inputFields") or []
