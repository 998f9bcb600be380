"""JSON, by orjson: fast, exact for 64-bit integers, and refusing what is not Unicode. The one place orjson is named."""

from __future__ import annotations

import orjson

dumps = orjson.dumps
"""``dumps(value, default, option)`` → bytes. Raises TypeError for what is no JSON or no Unicode."""

loads = orjson.loads
"""``loads(bytes or text)`` → value. Raises ``JSONDecodeError``, a ValueError."""

raw = orjson.Fragment
"""``raw(text)`` → a value that is written as that JSON text."""

JSONDecodeError = orjson.JSONDecodeError
APPEND_NEWLINE = orjson.OPT_APPEND_NEWLINE
INDENT = orjson.OPT_INDENT_2
