"""How two libraries differ."""

import io
import json
import tracemalloc
from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.compare import Comparison
from stash_portability.errors import Unreadable
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.archive_write import ArchiveSink
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Record
from stash_portability.progress import Quiet
from stash_portability.storage.container import open_output

DEMO = Path(__file__).parent.parent / "examples" / "demo"


def tag(uid, **data):
    return Record("tag", str(uid), data)


def compared(first, second, images=False):
    comparison = Comparison(first, second, images, Quiet())
    return list(comparison.run()), comparison.tally


def differences(first, second):
    found, _ = compared(MemoryLibrary(first), MemoryLibrary(second))
    return [(one.uid, one.what, dict(one.fields)) for one in found]


def test_a_library_is_equal_to_itself():
    found, tally = compared(ArchiveSource(DEMO), ArchiveSource(DEMO))
    assert (found, tally.equal, tally.notes) == ([], True, [])
    assert tally.counts["scene"] == {"equal": 11}


def test_what_differs_is_told_record_by_record_and_field_by_field():
    first = [tag(1, name="Coast", aliases=["Shore"]), tag(2, name="Mud"), tag(10, name="Birds")]
    second = [tag(1, name="Coast", aliases=[]), tag(3, name="Fog"), tag(10, name="Birds")]
    assert differences(first, second) == [
        ("1", "different", {"aliases": (["Shore"], [])}),
        ("2", "only in the first", {}),
        ("3", "only in the second", {}),
    ]


@pytest.mark.parametrize(("first", "second"), [([], [1, 2]), ([1, 2], []), ([2, 10, 11], [1, 10, 12]), ([9], [10])])
def test_every_record_is_counted_once(first, second):
    found, tally = compared(*(MemoryLibrary(tag(uid, name="x") for uid in side) for side in (first, second)))
    assert sum(sum(counts.values()) for counts in tally.counts.values()) == len({*first, *second})
    assert {int(one.uid) for one in found} == {*first} ^ {*second}


def test_fields_that_one_side_cannot_give_are_not_compared_and_told():
    found, tally = compared(MemoryLibrary([tag(1, name="Fog", favorite=True)]), MemoryLibrary([tag(1, name="Fog")]))
    assert found == []
    assert "tag: not in memory, so not compared: favorite" in tally.notes


def test_a_kind_that_one_side_has_not_at_all_differs():
    found, tally = compared(MemoryLibrary([tag(1, name="Fog")]), MemoryLibrary())
    assert [one.what for one in found] == ["only in the first"]
    assert not tally.equal


def archive(path, image):
    with ArchiveSink(open_output(path, "folder"), {}) as sink:
        digest = sink.put_blob(io.BytesIO(image)).sha256
        sink.put(tag(1, name="Fog", image=digest))
    return ArchiveSource(path)


def test_images_of_archives_are_compared_and_none_is_read(tmp_path, monkeypatch):
    first, second, third = (archive(tmp_path / name, image) for name, image in (("a", b"1"), ("b", b"2"), ("c", b"1")))
    monkeypatch.setattr(ArchiveSource, "open_blob", None)
    assert [list(one.fields) for one in compared(first, second)[0]] == [["image"]]
    assert compared(first, third)[0] == []


def test_images_of_others_are_compared_by_their_bytes_when_asked(tmp_path):
    kept, other = archive(tmp_path / "a", b"1"), MemoryLibrary([tag(1, name="Fog", image="key")], {"key": b"1"})
    found, tally = compared(kept, other)
    assert found == []
    assert "images were not compared; --images does that" in tally.notes
    assert compared(kept, other, images=True)[0] == []
    changed = MemoryLibrary([tag(1, name="Fog", image="key")], {"key": b"2"})
    assert [list(one.fields) for one in compared(kept, changed, images=True)[0]] == [["image"]]


def test_groups_of_the_configuration_come_in_any_order():
    records = [Record("config", name, {"group": name}) for name in ("ui", "dlna", "general")]
    found, tally = compared(MemoryLibrary(records), Unordered(records))
    assert (found, tally.counts) == ([], {"config": {"equal": 3}})


class Unordered(MemoryLibrary):
    def read(self, kind, *more):
        return reversed(list(super().read(kind, *more)))


def test_records_out_of_order_are_refused():
    records = [tag(1, name="a"), tag(2, name="b")]
    with pytest.raises(Unreadable, match="after a later one"):
        compared(MemoryLibrary(records), Unordered(records))


class Endless(MemoryLibrary):
    """Many records, made as they are read."""

    def __init__(self, count):
        super().__init__([tag(1, name="x")])
        self.count = count

    def read(self, kind, *more):
        return (tag(number, name=f"Tag {number}") for number in range(1, self.count + 1)) if kind == "tag" else iter(())


def peak(count):
    tracemalloc.start()
    comparison = Comparison(Endless(count), Endless(count), False, Quiet())
    assert not any(comparison.run())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_is_flat():
    peak(10)
    assert peak(20_000) < peak(200) + 100_000


def test_the_command_line(tmp_path, capsys):
    assert main(["diff", str(DEMO), str(DEMO)]) == 0
    archive(tmp_path / "a", b"1")
    capsys.readouterr()
    assert main(["--json", "diff", str(tmp_path / "a"), str(DEMO)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first = next(line for line in lines if line["type"] == "difference" and line["kind"] == "tag")
    assert (first["id"], first["fields"]["name"]) == ("1", {"first": "Fog", "second": "Water"})
    assert lines[-1]["type"] == "summary"
    assert main(["diff", str(tmp_path / "a"), str(DEMO)]) == 1
    assert "tag 1 'Water' is different: name" in capsys.readouterr().out
    assert main(["--quiet", "diff", str(tmp_path / "a"), str(tmp_path / "nowhere")]) == 15
