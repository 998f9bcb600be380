"""The template language: Jinja in a sandbox of its own, with less in it than Jinja's. The one place jinja2 is named.

Runs in the child process only (child.py). Nothing a template can reach is an object with more to it than its value:
records are plain mappings, a step leads to an entry of one or to the few methods of texts named in filters.py, and
calls go to those, ``range`` and ``loop.cycle`` alone. There is no loader, and statements that would make something of a
text (macros, blocks, includes) are refused before anything is rendered. Jinja's sandbox is the fence behind this one
(https://jinja.palletsprojects.com/en/stable/sandbox/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as OF_JINJA
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS as TESTS_OF_JINJA

from .escape import Ready, Unwritable, finalizer, html, paragraphs
from .filters import FILTERS, MAPPING_METHODS, OPERATORS, TEXT_METHODS, cut, default, numbers, web_address
from .grammar import ADDRESS, CUT, GLUE, IN_TAG, Check, Wrong, not_a_field

BORROWED = ("map", "select", "reject", "selectattr", "rejectattr")
TESTS = (
    "defined undefined none string number integer float boolean true false mapping sequence iterable odd even"
    " divisibleby in == eq equalto != ne > gt greaterthan >= ge < lt lessthan <= le lower upper"
).split()
LOOP = frozenset(
    "index index0 revindex revindex0 first last length previtem nextitem depth depth0 cycle changed".split()
)


class Trouble(Exception):
    """What is wrong with a template: in which part, in which line (0: not known), in words."""

    def __init__(self, part: str, line: int, reason: str) -> None:
        self.part, self.line, self.reason = part, line, reason
        super().__init__(part, line, reason)


@dataclass(frozen=True, slots=True)
class Job:
    """A template to compile: the texts of its ``parts``, its mode of escaping, whether it writes ``markup`` a browser
    reads, the ``names`` each part may use, those of them that are ``free`` (custom_fields), and the ``most`` characters
    one rendering may give."""

    parts: Mapping[str, str]
    escape: str
    markup: bool
    names: Mapping[str, Sequence[str]]
    free: Sequence[str]
    most: int


class Free(dict[str, Any]):
    """A mapping whose names are the user's own: one that is not there is nothing, and no mistake."""


class Missing(StrictUndefined):
    """Something that is not there: any use but ``default`` and ``is defined`` raises UndefinedError in our words."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        known = self._undefined_obj if isinstance(self._undefined_obj, Mapping) else ()
        return not_a_field(str(self._undefined_name), map(str, known))


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrowed: steps and calls lead only to values and to what is listed."""

    intercepted_binops = frozenset(OPERATORS)
    free: frozenset[str] = frozenset()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute``: an entry of a mapping; of a list, that of each entry; of None, None."""
        if isinstance(obj, dict):
            return self._of_mapping(obj, attribute)
        if obj is None:
            return None
        if isinstance(obj, str) and attribute in TEXT_METHODS:
            return getattr(obj, attribute)
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self._of_each(obj, attribute)

    def _of_mapping(self, obj: dict[str, Any], attribute: str) -> Any:
        """An entry of a mapping, before its methods."""
        found = obj.get(attribute, self)
        if found is not self:
            return Free(found) if type(found) is dict and (type(obj) is Free or attribute in self.free) else found
        if attribute in MAPPING_METHODS:
            return getattr(obj, attribute)
        return None if type(obj) is Free else self.undefined(obj=obj, name=attribute)

    def _of_each(self, obj: Any, attribute: str) -> Any:
        """The field ``attribute`` of each entry of a list, lists within it laid flat; anything else has none."""
        if isinstance(obj, Undefined):
            str(obj)
        if not isinstance(obj, (list, tuple)) or attribute.startswith("_"):
            return self.undefined(f"{attribute!r} is not a field: there is nothing within this", obj, attribute)
        gathered: list[Any] = []
        for entry in obj:
            found = self.getattr(entry, attribute)
            if isinstance(found, Undefined):
                return found
            gathered.extend(found) if isinstance(found, list) else gathered.append(found)
        return gathered

    def getitem(self, obj: Any, argument: Any) -> Any:
        """``obj[argument]``: an entry, a character, a slice; otherwise the same as a step."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if obj is None:
            return None
        if not isinstance(obj, (dict, list, tuple, str, range)) or not isinstance(argument, (int, slice)):
            return self.undefined("there is nothing within this that [ ] could find", obj, "")
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(f"there is no entry number {argument}", obj, "")

    def call(self, _context: Any, called: Any, /, *values: Any, **named: Any) -> Any:
        """Call what ``getattr`` gave, or ``range``; nothing else can be called."""
        if isinstance(called, Undefined):
            str(called)
        if not isinstance(called, (BuiltinFunctionType, MethodType, FunctionType)):
            raise Unwritable("it cannot be called")
        named.pop("_loop_vars", None)  # what Jinja passes on to macros
        named.pop("_block_vars", None)
        return called(*values, **named)

    def handle_exception(self, source: str | None = None) -> NoReturn:  # noqa: ARG002 - as Jinja has it
        """Let an error go as it is: Jinja would look for more about it in files."""
        raise  # noqa: PLE0704 - only called while one is handled

    def call_binop(self, _context: Any, operator: str, left: Any, right: Any) -> Any:
        """An operator that could make much out of little, within bounds."""
        for value in (left, right):
            if isinstance(value, Undefined):
                str(value)
        return OPERATORS[operator](left, right)


def _sandbox(escape: str, free: Sequence[str]) -> Sandbox:
    """The environment of a template: no loader, no global but ``range``, only the filters and tests listed."""
    made = Sandbox(
        undefined=Missing,
        finalize=_careful(finalizer(escape)),
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=0,
    )
    made.free = frozenset(free)
    made.globals = {"range": numbers}
    made.filters = {name: _careful(made_of) for name, made_of in FILTERS.items()} | {
        "default": _default,
        "d": _default,
        "paragraphs": _careful(paragraphs(escape)),
        ADDRESS: _careful(web_address),
        GLUE: _careful(FILTERS["join"]),
        CUT: _careful(cut),
        IN_TAG: _careful(lambda value: Ready(html(value))),
        **{name: OF_JINJA[name] for name in BORROWED},
    }
    made.tests = {name: TESTS_OF_JINJA[name] for name in TESTS}
    return made


def _careful(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, but an undefined value is told as such."""

    def use(value: Any, *more: Any, **named: Any) -> Any:
        if isinstance(value, Undefined):
            str(value)
        return function(value, *more, **named)

    return use


def _default(value: Any, other: Any = "", otherwise: bool = True) -> Any:
    """``default``, also of what is not there at all."""
    return other if isinstance(value, Undefined) else default(value, other, otherwise)


class Engine:
    """A compiled template. Raises Trouble for what is wrong with it, one part at a time, from ``troubles``."""

    def __init__(self, job: Job) -> None:
        self._most, self._free = job.most, job.free
        self._compiled: dict[str, Template] = {}
        self.troubles: list[Trouble] = []
        self._environment = _sandbox(job.escape, job.free)
        plain = _sandbox("none", job.free)
        known = (self._environment.filters, self._environment.tests)
        check = Check(nodes, known, markup=job.markup, markdown=job.escape == "markdown")
        for part, text in job.parts.items():
            is_name = part == "file_name"
            self._compile(part, text, plain if is_name else self._environment, check, job.names[part])

    def _compile(self, part: str, text: str, environment: Sandbox, check: Check, names: Sequence[str]) -> None:
        try:
            tree = check.part(environment.parse(text, filename=part), names, part)
            code = environment.compile(tree, part, part)
            self._compiled[part] = Template.from_code(environment, code, environment.globals)
        except Wrong as wrong:
            self.troubles += [Trouble(part, line, reason) for line, reason in wrong.found]
        except TemplateSyntaxError as error:
            self.troubles.append(Trouble(part, error.lineno, error.message or "it cannot be read"))
        except RecursionError as error:
            self.troubles.append(Trouble(part, _deepest(error), "it is nested too deeply"))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile text makes of Jinja and of Python's compiler
            self.troubles.append(Trouble(part, 0, f"it cannot be read: {error}"))

    def render(self, part: str, variables: Mapping[str, Any]) -> str:
        """Render ``part``. Raises Trouble; MemoryError goes through."""
        template = self._compiled[part]
        pieces = template.root_render_func(template.new_context(self._freed(variables)))
        try:
            return self._written(pieces)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the values make of a hostile expression
            raise Trouble(part, _line(template, error) or _reached(template, pieces), _reason(error)) from None

    def _freed(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        free = {name: Free(variables[name]) for name in self._free if isinstance(variables.get(name), dict)}
        return {**variables, **free}

    def _written(self, pieces: Iterator[str]) -> str:
        kept: list[str] = []
        left = self._most
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                raise Unwritable(f"it gives more than {self._most:,} characters")
            kept.append(piece)
        return "".join(kept)


def _line(template: Template, error: BaseException) -> int:
    """The line of the template that ``error`` comes from."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if (
            trace.tb_frame.f_globals.get("__jinja_template__") is not None
            or trace.tb_frame.f_code.co_filename == template.filename
        ):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _reached(template: Template, pieces: Any) -> int:
    """The line of the template that waits to go on: it has said too much."""
    frame = pieces.gi_frame
    return template.get_corresponding_lineno(frame.f_lineno) if frame else 0


def _deepest(error: RecursionError) -> int:
    """The line that was looked at when reading a template went too deep."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        parser, node = (trace.tb_frame.f_locals.get(name) for name in ("self", "node"))
        token = getattr(getattr(parser, "stream", None), "current", None)
        lines = (getattr(one, "lineno", None) for one in (token, node, parser))
        line = next(filter(None, lines), line)
        trace = trace.tb_next
    return line


def _reason(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, SecurityError):
        return f"this is not allowed: {error}"
    if isinstance(error, (UndefinedError, Unwritable)):
        return str(error)
    if isinstance(error, TypeError):
        return _mistyped(str(error))
    if isinstance(error, ZeroDivisionError):
        return "a division by zero"
    return f"{error}" if str(error) else type(error).__name__


def _mistyped(said: str) -> str:
    """What Python says of a value of a wrong type, in words for people where there are some."""
    if "NoneType" in said:
        return f"there is no value here, which cannot be calculated or compared with (use default): {said}"
    return "this is for numbers, and here is a text" if "string formatting" in said else said
