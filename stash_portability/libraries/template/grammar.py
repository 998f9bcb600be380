"""What of Jinja's language a template may use, checked before anything is rendered; and where in HTML values land.

Works on the parsed tree of a part, whose node types come in from engine.py. ``~`` and addresses in HTML are rewritten
to filters of ours, so that they are looked after when they are written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ...errors import unknown
from .markup import ADDRESSES, LINK, Misplaced, Place, forward, joined, linked, same, value

MOST_LOOPS = 5
ADDRESS, GLUE, CUT, IN_TAG = "an address", "~", "[:]", "in a tag"
"""Filters that only this module names: of a value where an address begins, of ``~``, of slices, and of a value in an
attribute of HTML within Markdown."""
EXPRESSIONS = frozenset(
    "Const TemplateData List Tuple Dict Pair Keyword Name Getattr Getitem Slice Filter Test Call Concat Compare Operand"
    " CondExpr Not And Or Neg Pos Add Sub Mul Div FloorDiv Mod Pow".split()
)
WORDS = {
    "Macro": "macro",
    "CallBlock": "call",
    "FilterBlock": "filter",
    "AssignBlock": "set … endset",
    "FromImport": "from … import",
    "Scope": "autoescape",
    "ScopedEvalContextModifier": "autoescape",
    "NSRef": "namespace",
}


class Wrong(Exception):
    """What is wrong with a part: lines and reasons."""

    def __init__(self, found: list[tuple[int, str]]) -> None:
        self.found = found
        super().__init__(found)


class Check:
    """Checks the parts of one template, in their order. ``nodes`` are Jinja's node types, ``names`` the filters and the
    tests there are; ``markup``: it writes HTML, or what browsers read like it; ``markdown``: which may hold HTML."""

    def __init__(
        self, nodes: Any, names: tuple[Iterable[str], Iterable[str]], *, markup: bool, markdown: bool = False
    ) -> None:
        self._nodes, self._markup, self._markdown = nodes, markup or markdown, markdown
        self._filters, self._tests = (frozenset(found) for found in names)
        self._known: frozenset[str] = frozenset()
        self._found: list[tuple[int, str]] = []
        self._place = Place()

    def part(self, tree: Any, names: Sequence[str], part: str) -> Any:
        """Check the parsed ``tree`` of ``part``, which may use ``names``; give it as it is to be compiled. Raises
        Wrong with everything found."""
        self._found = []
        stored = [name.name for name in tree.find_all(self._nodes.Name) if name.ctx != "load"]
        self._known = frozenset((*names, *stored, "loop", "range"))
        markup, self._markup = self._markup, self._markup and part != "file_name"
        end = self._body(tree.body, self._place, 0)
        if part == "header":
            self._place = end
        elif self._markup and part != "footer" and not same(self._place, end):
            self._wrong(tree, "it leaves a tag, an attribute or a comment of HTML open")
        self._markup = markup
        if self._found:
            raise Wrong(self._found)
        return tree

    def _wrong(self, node: Any, reason: str) -> None:
        lines = (one.lineno for one in (node, *node.iter_child_nodes()) if one.lineno)
        self._found.append((next(lines, 1), reason))

    def _body(self, body: list[Any], place: Place, loops: int) -> Place:
        for node in body:
            step = self._STATEMENTS.get(type(node).__name__)
            if step is None:
                word = WORDS.get(type(node).__name__, type(node).__name__.lower())
                self._wrong(node, f"{word} is not part of this language")
            else:
                place = step(self, node, place, loops)
        return place

    def _output(self, node: Any, place: Place, _loops: int) -> Place:
        for index, child in enumerate(node.nodes):
            try:
                place, node.nodes[index] = self._written(child, place)
            except Misplaced as problem:
                self._wrong(child, str(problem))
        return place

    def _written(self, child: Any, place: Place) -> tuple[Place, Any]:
        """Where a piece of output leads to, and what to write. Raises Misplaced."""
        if type(child) is self._nodes.TemplateData:
            return self._after(place, child.data), child
        checked = self._expression(child)
        if not self._markup:
            return place, checked
        within, (place, address) = place, value(place)
        if address or within.begun == LINK:
            checked = self._filter(checked, ADDRESS)
        in_tag = self._markdown and within.where == "value"
        return place, self._filter(checked, IN_TAG) if in_tag else checked

    def _after(self, place: Place, text: str) -> Place:
        """Where ``text`` leads to."""
        if not self._markup:
            return place
        after = forward(place, text)
        return linked(after, text) if self._markdown else after

    def _if(self, node: Any, place: Place, loops: int) -> Place:
        node.test = self._expression(node.test)
        ends = [self._body(node.body, place, loops)]
        ends += [self._if(branch, place, loops) for branch in node.elif_]
        ends.append(self._body(node.else_, place, loops))
        return self._meet(node, ends)

    def _for(self, node: Any, place: Place, loops: int) -> Place:
        if node.recursive:
            self._wrong(node, "a recursive loop is not part of this language")
        if loops >= MOST_LOOPS:
            self._wrong(node, f"loops stand in each other more than {MOST_LOOPS} deep")
        if self._markup and place.where == "value" and place.attribute in ADDRESSES:
            self._wrong(node, "a loop cannot stand within an address")
        self._expression(node.target)
        node.iter = self._expression(node.iter)
        if node.test is not None:
            node.test = self._expression(node.test)
        ends = [place, self._body(node.body, place, loops + 1), self._body(node.else_, place, loops)]
        return self._meet(node, ends)

    def _set(self, node: Any, place: Place, _loops: int) -> Place:
        self._expression(node.target)
        node.node = self._expression(node.node)
        return place

    def _with(self, node: Any, place: Place, loops: int) -> Place:
        node.values = [self._expression(given) for given in node.values]
        node.targets = [self._expression(target) for target in node.targets]
        return self._body(node.body, place, loops)

    _STATEMENTS: ClassVar[dict[str, Any]] = {"Output": _output, "If": _if, "For": _for, "Assign": _set, "With": _with}

    def _meet(self, node: Any, ends: list[Place]) -> Place:
        """The place after branches, which must all end in the same."""
        if self._markup and not all(same(ends[0], end) for end in ends):
            self._wrong(node, "its branches end in different places of the HTML")
        met = ends[0]
        for end in ends[1:]:
            met = joined(met, end)
        return met

    def _expression(self, node: Any) -> Any:
        """Check ``node`` and all within it; give what stands for it."""
        kind = type(node).__name__
        if kind not in EXPRESSIONS:
            self._wrong(node, f"{WORDS.get(kind, kind.lower())} is not part of this language")
            return node
        self._look(node, kind)
        for field, found in node.iter_fields():
            if isinstance(found, self._nodes.Node):
                setattr(node, field, self._expression(found))
            elif isinstance(found, list):
                setattr(
                    node, field, [self._expression(one) if isinstance(one, self._nodes.Node) else one for one in found]
                )
        if kind == "Concat":
            return self._filter(self._nodes.List(node.nodes, lineno=node.lineno, environment=node.environment), GLUE)
        if kind == "Getitem" and type(node.arg) is self._nodes.Slice:
            nothing = self._nodes.Const(None, lineno=node.lineno, environment=node.environment)
            bounds = [bound or nothing for bound in (node.arg.start, node.arg.stop, node.arg.step)]
            return self._filter(node.node, CUT, bounds)
        return node

    def _look(self, node: Any, kind: str) -> None:
        """Note what is wrong with ``node`` itself."""
        if kind == "Name" and node.name.startswith("_"):
            self._wrong(node, f"{node.name!r} is not a field: no name begins with _")
        elif kind == "Name" and node.name not in self._known:
            self._wrong(node, _unknown("field", node.name, self._known))
        elif kind == "CondExpr" and node.expr2 is None:
            node.expr2 = self._nodes.Const(None, lineno=node.lineno, environment=node.environment)
        elif kind == "Filter" and node.name not in self._filters:
            self._wrong(node, _unknown("filter", node.name, self._filters))
        elif kind == "Test" and node.name not in self._tests:
            self._wrong(node, _unknown("test", node.name, self._tests))
        elif kind == "Call" and type(node.node).__name__ not in ("Name", "Getattr"):
            self._wrong(node, "this cannot be called")
        elif kind == "Getattr" and node.attr.startswith("_"):
            self._wrong(node, f"{node.attr!r} is not a field")

    def _filter(self, node: Any, name: str, values: Sequence[Any] = ()) -> Any:
        place = {"lineno": node.lineno, "environment": node.environment}
        return self._nodes.Filter(node, name, list(values), [], None, None, **place)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    if what == "field":
        return not_a_field(name, known)
    return str(unknown(what, name, (one for one in known if one.isalpha())))


def not_a_field(name: str, known: Iterable[str]) -> str:
    """Say that ``name`` is none of ``known``, with the nearest."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"{name!r} is not a field" + (f"; did you mean {near[0]!r}?" if near else "")
