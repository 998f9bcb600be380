"""What a template writes into a file, a folder or a zip; and what the shipped templates make of the demo library."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import lxml.html
import pytest

from stash_portability.errors import BadTemplate, OutputNotUsable, RecordError
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.template.sink import AT_ONCE, Choices, TemplateSink
from stash_portability.model import Record, Want
from stash_portability.storage.container import MANIFEST, open_output

from .making import SCENE, example, names, template
from .test_escape import HOSTILE

DEMO = Path(__file__).parents[3] / "examples" / "demo"
PICTURES = {
    "jpg": b"\xff\xd8\xff\xe0 jpeg",
    "png": b"\x89PNG\r\n\x1a\n png",
    "gif": b"GIF89a gif",
    "webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "": b"<svg onload=alert(1)>",
}


def scenes(count, kind="scene"):
    return [Record(kind, str(number), {"title": f"Film {number}"}) for number in range(1, count + 1)]


def write(path, shape, made, records, choices=None):
    container = open_output(path, shape)
    kinds = tuple(dict.fromkeys(record.kind for record in records)) or ("scene",)
    with TemplateSink(container, made, choices or Choices(kinds), names) as sink:
        for record in records:
            sink.put(record)
    return path


def test_one_file_for_all(tmp_path):
    made = template("{{ number }} {{ title }}", "txt", header="{{ name }}:\n", between=", ", footer="\n{{ count }}\n")
    path = write(tmp_path / "a.txt", "file", made, scenes(3))
    assert path.read_text() == "mine:\n1 Film 1, 2 Film 2, 3 Film 3\n3\n"


def test_many_records_are_written_in_batches(tmp_path):
    path = write(tmp_path / "a.txt", "file", template("{{ title }}\n"), scenes(AT_ONCE * 3 + 7))
    assert path.read_text().splitlines() == [f"Film {number}" for number in range(1, AT_ONCE * 3 + 8)]


def test_no_records_make_an_empty_document(tmp_path):
    made = template("{{ title }}", "txt", header="[{{ kind }}", footer="{{ count }}]")
    assert write(tmp_path / "a.txt", "file", made, []).read_text() == "[scene0]"


def test_a_file_a_kind(tmp_path):
    made = template("{{ label }}\n", "txt", one_file="kind", header="{{ kind }}\n", footer="{{ count }}")
    path = write(tmp_path / "out", "folder", made, [*scenes(2), Record("tag", "1", {"name": "Waders"})])
    assert {file.name: file.read_text() for file in path.iterdir() if file.name != MANIFEST} == {
        "scenes.txt": "scene\nFilm 1\nFilm 2\n2",
        "tags.txt": "tag\nWaders\n1",
    }
    assert write(tmp_path / "a.txt", "file", made, scenes(1)).read_text() == "scene\nFilm 1\n1"
    with pytest.raises(OutputNotUsable, match=r"folder or a \.zip"):
        write(tmp_path / "b.txt", "file", made, [*scenes(2), Record("tag", "1", {"name": "Waders"})])
    assert not (tmp_path / "b.txt").exists()


@pytest.mark.parametrize("shape", ["folder", "zip"])
def test_f04_a_file_a_record_stays_in_its_folder(shape, tmp_path):
    made = template("{{ title }}", "html", one_file="record", file_name="{{ title }}", header="<p>", footer="</p>")
    titles = ["../../x", "/etc/passwd", "", None, "a" * 300, "A" * 300, "CON", "same", "SAME", "dots. . .", "x/../y"]
    records = [Record("scene", str(uid), {"title": title}) for uid, title in enumerate(titles)]
    path = write(tmp_path / "out", shape, made, records)
    if shape == "folder":
        found = {str(file.relative_to(path)): file.read_text() for file in path.rglob("*")}
    else:
        with zipfile.ZipFile(path) as file:
            found = {name: file.read(name).decode() for name in file.namelist()}
    assert found.pop(MANIFEST)
    assert len(found) == len(titles)
    assert all("/" not in name and name[0] != "." and len(name) <= 200 for name in found)
    assert found["x.html"] == "<p>../../x</p>"
    assert {"_CON.html", "same.html", "SAME (2).html", "unnamed.html", "unnamed (2).html", "dots.html"} <= set(found)
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_file_a_record_of_several_kinds_lies_by_kind(tmp_path):
    made = template("{{ label }}", "txt", one_file="record")
    path = write(tmp_path / "out", "folder", made, [*scenes(1), Record("tag", "1", {"name": "Film 1"})])
    assert {str(file.relative_to(path)) for file in path.rglob("*.txt")} == {"scenes/Film 1.txt", "tags/Film 1.txt"}


def test_a_file_a_record_does_not_go_into_one_file(tmp_path):
    with pytest.raises(OutputNotUsable, match=r"folder or a \.zip"):
        write(tmp_path / "a.txt", "file", template(one_file="record"), scenes(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", ["folder", "zip"])
def test_pictures_lie_beside_and_what_is_none_is_left_out(shape, tmp_path):
    made = template("{{ picture }}\n", "html", images=True)
    with TemplateSink(open_output(tmp_path / "out", shape), made, Choices(("scene",)), names) as sink:
        for content in [*PICTURES.values(), PICTURES["jpg"], PICTURES[""]]:
            digest = sink.put_blob(io.BytesIO(content)).sha256
            sink.put(Record("scene", "1", {"cover": digest}))
    if shape == "zip":
        with zipfile.ZipFile(tmp_path / "out") as file:
            contents = {name: file.read(name) for name in file.namelist()}
    else:
        base = tmp_path / "out"
        contents = {str(file.relative_to(base)): file.read_bytes() for file in base.rglob("*") if file.is_file()}
    assert contents.pop(MANIFEST)
    lines = contents.pop("index.html").decode().splitlines()
    assert [line.rpartition(".")[2] for line in lines] == ["jpg", "png", "gif", "webp", "", "jpg", ""]
    assert set(contents) == set(lines) - {""}
    assert set(contents.values()) == set(PICTURES.values()) - {PICTURES[""]}


@pytest.mark.parametrize(("kinds", "up"), [(("scene",), ""), (("scene", "performer"), "../")])
def test_pictures_are_named_as_seen_from_the_file_that_shows_them(kinds, up, tmp_path):
    made = template("<img src='{{ picture }}'>", "html", one_file="record", images=True)
    with TemplateSink(open_output(tmp_path / "out", "folder"), made, Choices(kinds), names) as sink:
        digest = sink.put_blob(io.BytesIO(PICTURES["jpg"])).sha256
        sink.put(Record("scene", "1", {"title": "Film 1", "cover": digest}))
    (page,) = (tmp_path / "out").rglob("*.html")
    assert page.read_text("utf-8") == f"<img src='{up}pictures/{digest}.jpg'>"
    assert (page.parent / f"{up}pictures/{digest}.jpg").is_file()


def test_pictures_do_not_go_into_one_file(tmp_path):
    with (
        pytest.raises(OutputNotUsable),
        TemplateSink(open_output(tmp_path / "a.html", "file"), template("x", "html"), Choices(("scene",))) as sink,
    ):
        sink.put_blob(io.BytesIO(PICTURES["jpg"]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("record", ["{{ nothing }}", "{{ 1 / (3 - number) }}"])
def test_trouble_leaves_nothing(record, tmp_path):
    with pytest.raises(BadTemplate, match="in record, line 1"):
        write(tmp_path / "a.txt", "file", template(record), scenes(5))
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_is_no_text_is_left_out(tmp_path):
    with TemplateSink(open_output(tmp_path / "a.txt", "file"), template(), Choices(("scene",))) as sink:
        sink.put(Record("scene", "1", {"title": "good"}))
        with pytest.raises(RecordError, match="scene 2"):
            sink.put(Record("scene", "2", {"title": "\ud800"}))
    assert (tmp_path / "a.txt").read_text() == "good"


def test_facts_reach_the_header(tmp_path):
    made = template("x", "txt", header="{{ privacy }} {{ product }} {{ version }} {{ kinds }} {{ kind }} {{ count }}|")
    choices = Choices(("scene", "tag"), {"privacy": "share", "product": "Stash"})
    assert write(tmp_path / "a.txt", "file", made, scenes(1), choices).read_text() == "share Stash  scene, tag  |x"


def demo(made, path, shape):
    source = ArchiveSource(DEMO)
    kinds = ("tag", "performer", "studio", "group", "gallery", "image")
    known = {kind: {record.uid: record.data for record in source.read(kind)} for kind in kinds}
    with TemplateSink(
        open_output(path, shape), made, Choices(("scene",)), lambda kind, uid: known[kind].get(uid)
    ) as sink:
        for record in source.read("scene", Want(blobs=shape != "file")):
            cover = record.data.get("cover")
            digest = sink.put_blob(source.open_blob(cover)).sha256 if cover else None
            sink.put(Record("scene", record.uid, {**record.data, "cover": digest}))
    return path


def test_the_gallery_is_whole_offline_and_safe(tmp_path):
    page = demo(example("gallery-html"), tmp_path / "out", "folder") / "index.html"
    tree = lxml.html.document_fromstring(page.read_text("utf-8"))
    assert len(tree.xpath("//article")) == 11
    for image in tree.xpath("//img"):
        assert image.get("alt")
        assert (tmp_path / "out" / image.get("src")).is_file()
    addresses = [value for _, name, value, _ in tree.iterlinks() if name != "src" or not value.startswith("pictures/")]
    assert all(re.match("https?://", address) for address in addresses)
    assert {element.tag for element, name, _, _ in tree.iterlinks()} <= {"a", "img"}
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp|sendBeacon|innerHTML|import\(", page.read_text("utf-8"))
    assert "default-src 'none'" in page.read_text("utf-8")


def test_the_gallery_holds_hostile_text_as_text(tmp_path):
    made = example("gallery-html")
    records = [
        Record(
            "scene",
            str(uid),
            {**SCENE, "title": text, "details": text, "urls": [text], "director": text, "studio": "s"},
        )
        for uid, text in enumerate(HOSTILE)
    ]

    def hostile(_kind, uid):
        return {"name": HOSTILE[1] if uid == "s" else HOSTILE[2]}

    with TemplateSink(open_output(tmp_path / "a.html", "file"), made, Choices(("scene",)), hostile) as sink:
        for record in records:
            sink.put(record)
    tree = lxml.html.document_fromstring((tmp_path / "a.html").read_text("utf-8"))
    assert len(tree.xpath("//article")) == len(HOSTILE)
    assert len(tree.xpath("//script")) == 1
    assert {element.tag for element in tree.xpath("//article//*")} <= set(
        "div h2 p span ul li details summary br a".split()
    )
    names_found = {name for element in tree.xpath("//article//*") for name in element.attrib}
    assert names_found <= {"class", "aria-hidden", "aria-label", "dir", "href", "rel"}
    assert tree.xpath("//article//a") == []
    assert tree.xpath("//article//h2")[0].text_content() == HOSTILE[0]


def test_the_playlist_has_two_lines_a_film(tmp_path):
    lines = demo(example("playlist-m3u"), tmp_path / "a.m3u8", "file").read_text("utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert len(lines) == 1 + 2 * 10
    assert all(re.match(r"#EXTINF:(-1|\d+),.", line) for line in lines[1::2])
    assert lines[1] == "#EXTINF:1404,Wren Hollis, Odd Sandvik - Tidal Flats at Dawn"
    assert lines[2] == "/media/films/Tidal Flats at Dawn.mkv"


def test_the_playlist_stays_one_line_an_entry(tmp_path):
    bad = "a\n#EXTINF:0,b\r\u2028\x85/etc/passwd"
    record = Record("scene", "1", {"title": bad, "files": [{"path": "/films/" + bad, "duration": None}]})
    choices = Choices(("scene",), rewrite=lambda path: path.replace("/films", "/mnt"))
    text = write(tmp_path / "a.m3u8", "file", example("playlist-m3u"), [record], choices).read_text("utf-8")
    assert len(text.splitlines()) == 3
    assert text.splitlines()[2].startswith("/mnt/a ")
    assert "#EXTINF:-1," in text


def test_the_catalogue_has_a_heading_a_film(tmp_path):
    text = demo(example("catalogue-markdown"), tmp_path / "a.md", "file").read_text("utf-8")
    assert len(re.findall("(?m)^## ", text)) == 11
    assert "## Cliffs \\<east\\> & west\n" in text
    assert text.endswith("*11 films*\n")


def test_a_template_of_csv_is_a_table(tmp_path):
    made = template("{{ id }},{{ title }},{{ tags }}\r\n", "csv", header="id,title,tags\r\n")
    records = [Record("scene", str(uid), {"title": text, "tags": ["1"]}) for uid, text in enumerate(HOSTILE)]
    path = write(tmp_path / "a.csv", "file", made, records)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    assert rows[0] == ["id", "title", "tags"]
    assert [row[1:] for row in rows[1:]] == [[text.replace("\0", ""), "Waders"] for text in HOSTILE]


def test_a_record_called_manifest_gives_way_to_the_manifest(tmp_path):
    made = template("{{ title }}", "json", one_file="record", file_name="Manifest")
    path = write(tmp_path / "out", "folder", made, scenes(1))
    assert {file.name for file in path.iterdir()} == {MANIFEST, "Manifest (2).json"}
