"""What waits although all it belongs to is there: chapters and the images they count, because Stash makes no chapter at
an image that its gallery does not have, and images come from a scan; saved filters that name what is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..kinds import KINDS
from ..model import Data, Waiting
from .changes import Phase
from .coding import decode, encode
from .workset import Workset

WHY = "its gallery has no such image in the target yet"


class Room:
    """How many images each gallery of the target will have once the plan is written."""

    def __init__(self, workset: Workset) -> None:
        self._counts: Counter[str] = Counter()
        rows = workset.rows(
            "SELECT r.data, c.after FROM record r"
            " LEFT JOIN change c ON c.kind = r.kind AND c.uid = r.uid AND c.phase = ? AND c.op = 'update'"
            " WHERE r.kind = 'image' AND r.side = 'target' AND coalesce(r.fate, '') <> 'delete'",
            int(Phase.WRITE),
        )
        for content, after in rows:
            data = {**decode(content), **(decode(after) if after is not None else {})}
            self._counts.update(data.get("galleries") or ())

    def has(self, chapter: Data) -> bool:
        """Whether the image that ``chapter`` (in the target's ids) begins at will be there."""
        index = chapter.get("image_index")
        return index is None or 1 <= index <= self._counts[str(chapter.get("gallery"))]


def wait_for_images(workset: Workset, uid: str) -> None:
    """Tell that the chapter ``uid`` of the source waits."""
    _wait(workset, Waiting("chapter", uid, WHY))


def wait_for_named(workset: Workset, uid: str, kinds: Iterable[str]) -> None:
    """Tell that the saved filter ``uid`` of the source waits for records of ``kinds``."""
    names = " and ".join(KINDS[kind].plural.replace("_", " ") for kind in kinds)
    _wait(workset, Waiting("saved_filter", uid, f"it names {names} that are not restored"))


def _wait(workset: Workset, what: Waiting) -> None:
    sql = "INSERT INTO found (what, kind, data) VALUES ('Waiting', ?, ?)"
    workset.run(sql, what.kind, encode(list(what)))


def forget_late_waiting(workset: Workset) -> None:
    """Forget what was told so, because it is planned anew."""
    sql = (
        "DELETE FROM found WHERE what = 'Waiting'"
        " AND (kind = 'saved_filter' OR (kind = 'chapter' AND json_extract(data, '$[2]') = ?))"
    )
    workset.run(sql, WHY)
