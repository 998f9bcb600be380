"""Which sink writes an export of which format."""

from __future__ import annotations

from .config import ExportOptions
from .libraries.tables.layout import Layout
from .libraries.tables.sink import TableSink
from .libraries.template.sink import Choices, TemplateSink
from .model import Sink
from .storage.container import Container
from .transform.paths import Names
from .transform.rewrite import rewrite


def open_sink(container: Container, options: ExportOptions, layout: Layout, names: Names) -> Sink:
    """The sink that writes records into ``container`` as ``options`` say; ``names`` gives the records that references
    lead to."""
    if options.template:
        return TemplateSink(container, options.template, template_choices(options, layout), names)
    return TableSink(container, options.form, layout, names)


def template_choices(options: ExportOptions, layout: Layout) -> Choices:
    """What a template is told of the export beside the records."""
    source = {key: value for key, value in layout.header["source"].items() if key in ("product", "version")}
    facts = {**source, "privacy": options.privacy, "tool": layout.header["tool"]}
    return Choices(tuple(layout.columns), facts, lambda path: rewrite(path, options.rules))
