"""Tables: records as JSON, JSONL, CSV, TSV, XML and YAML, in one file, a folder or a zip; written and read back."""

from .layout import FORMS, Layout
from .sink import TableSink
from .source import TableSource

__all__ = ["FORMS", "Layout", "TableSink", "TableSource"]
