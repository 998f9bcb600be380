"""A mark in every field of every kind: each privacy level lets out just the marks of its classes, in every format,
and a key in a text leaves at none. Looked for in every byte of every output, log and report."""

import zipfile
from itertools import count

import pytest

from stash_portability.commands import Means, export
from stash_portability.config import export_options
from stash_portability.kinds import KINDS, LEVELS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.libraries.tables.layout import FORMS
from stash_portability.libraries.template.view import described
from stash_portability.model import Record
from stash_portability.report import as_data, as_text

KEY = "CANARYKEY"


class Planter:
    """Makes one record of each kind with a mark in every field; remembers the privacy class of each mark."""

    def __init__(self):
        self.marks = {}
        self._numbers = count(7_000_001)

    def record(self, kind):
        data = {}
        for field in kind.fields:
            if field.type != "blob":
                data[field.name] = self.value(kind, field, (kind.privacy, field.privacy))
        return Record(kind.name, "1", data)

    def value(self, kind, field, classes):
        value = self.one(kind, field, classes)
        return [value] if field.many else value

    def one(self, kind, field, classes):
        if field.type == "part":
            return {part.name: self.value(kind, part, (*classes, part.privacy)) for part in field.parts}
        if field.type == "ref":
            return "1"
        if field.type == "bool":
            return True
        number = next(self._numbers)
        value, mark = self.planted(field, f"{kind.name}-{field.name}", number)
        self.marks[mark] = ("public" if mark == "performer-name" else classes, f"{kind.name}.{field.name}")
        return value

    def planted(self, field, name, number):
        """A value for the field and the text of it that is looked for."""
        if field.type == "int":
            return number, str(number)
        if field.type == "float":
            return float(number), str(number)
        day = f"{1000 + number % 1000:04d}-03-05"
        if field.type == "date":
            return day, day
        if field.type == "time":
            return f"{day}T06:07:08Z", f"{day}T06:07:08Z"
        text = f"MARK{number} {name} https://h.example/x?apikey={KEY}{number}"
        return ({"note": text} if field.type in ("map", "json") else text), f"MARK{number}"


def plant():
    planter = Planter()
    records = [planter.record(kind) for kind in KINDS.values()]
    return records, planter.marks


class Listening:
    """Progress that keeps all it is told."""

    def __init__(self):
        self.said = []

    def phase(self, name, total):
        self.said.append(f"{name} {total}")

    def advance(self, count):
        pass

    def note(self, message):
        self.said.append(message)

    def close(self):
        pass


def everything_written(path, progress, report):
    """Every byte an export wrote or said."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            written = [archive.read(name) + name.encode() for name in archive.namelist()]
    elif path.is_dir():
        written = [entry.read_bytes() + str(entry).encode() for entry in path.rglob("*") if entry.is_file()]
    else:
        written = [path.read_bytes()]
    said = [*progress.said, as_text(report), str(as_data(report))]
    return b"\n".join([*written, *(text.encode() for text in said)])


def allowed(classes, level):
    return all(one in LEVELS[level] for one in ((classes,) if isinstance(classes, str) else classes))


def run(tmp_path, level, **arguments):
    records, marks = plant()
    options = export_options(
        {"from": "memory", "to": str(tmp_path / arguments.pop("to", "out")), "privacy": level, **arguments}, {}
    )
    progress = Listening()
    report = export(options, progress, Means(), MemoryLibrary(records))
    return everything_written(options.to, progress, report), marks


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", LEVELS)
def test_each_level_lets_out_just_its_classes(tmp_path, level, form):
    written, marks = run(tmp_path, level, format=form)
    for mark, (classes, name) in marks.items():
        pseudonym = level == "public" and name == "performer.name"
        expected = allowed(classes, level) and not pseudonym
        assert (mark.encode() in written) == expected, f"{name} at {level}"
    assert KEY.encode() not in written


def hidden(marks, level):
    """The marks that may not leave at ``level``, with what they are marks of."""
    for mark, (classes, name) in marks.items():
        if not allowed(classes, level) or (level == "public" and name == "performer.name"):
            yield mark.encode(), name


@pytest.mark.parametrize("level", LEVELS)
def test_a_template_that_shows_everything_sees_what_the_level_lets_out(tmp_path, level):
    kinds = [name for name in KINDS if KINDS[name].privacy in LEVELS[level]]
    fields = {line["path"].partition(".")[0] for kind in kinds for line in described(kind)}
    words = "".join(f"{{{{ {name} if {name} is defined else '' }}}}\n" for name in sorted(fields))
    template = {"name": "all", "ending": "txt", "escape": "json", "kinds": kinds, "record": words}
    written, marks = run(tmp_path, level, to="out.txt", template=template)
    assert not [name for mark, name in hidden(marks, level) if mark in written]
    assert b"MARK" in written
    assert KEY.encode() not in written


@pytest.mark.parametrize("level", ["full", "share"])
def test_an_nfo_file_says_what_the_level_lets_out(tmp_path, level):
    records, marks = plant()
    scene = next(record for record in records if record.kind == "scene")
    scene.data["files"][0].update(path="/films/cliffs.mp4", zip_file=None)
    given = {"from": "memory", "to": str(tmp_path), "privacy": level, "format": "nfo", "nfo_profile": "emby"}
    export(export_options(given, {}), Listening(), Means(), MemoryLibrary(records))
    written = (tmp_path / "films/cliffs.nfo").read_bytes()
    assert b"MARK" in written
    assert not [name for mark, name in hidden(marks, level) if mark in written]
    assert KEY.encode() not in written


@pytest.mark.parametrize("level", ["share", "public"])
@pytest.mark.parametrize("kind", [name for name in KINDS if name not in ("config", "saved_filter")])
def test_a_sheet_lets_out_no_more_than_a_table(tmp_path, level, kind):
    written, marks = run(tmp_path, level, to="a.csv", kinds=kind)
    for mark, (classes, name) in marks.items():
        if not allowed(classes, level) or (level == "public" and name == "performer.name"):
            assert mark.encode() not in written, f"{name} at {level}"
    assert KEY.encode() not in written


def test_columns_asked_for_by_name_open_no_side_door(tmp_path):
    fields = "scene:title,rating100,performers.birthdate,performers.rating100,galleries.label,files.path,tags.favorite"
    written, marks = run(tmp_path, "share", fields=[fields])
    for mark, (classes, name) in marks.items():
        if not allowed(classes, "share"):
            assert mark.encode() not in written, name
    assert b"kept back by privacy share" in written


def test_a_zip_is_as_tight_as_a_folder(tmp_path):
    written, marks = run(tmp_path, "share", to="out.zip")
    assert not [
        name for mark, (classes, name) in marks.items() if not allowed(classes, "share") and mark.encode() in written
    ]


def test_public_says_so_when_no_names_are_known(tmp_path):
    scenes = [record for record in plant()[0] if record.kind == "scene"]
    options = export_options({"from": "memory", "to": str(tmp_path / "out"), "privacy": "public"}, {})
    report = export(options, Listening(), Means(), MemoryLibrary(scenes))
    assert any("no performers" in remark for remark in report.remarks)
