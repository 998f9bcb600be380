"""What an archive may hold that is whole and yet wrong (catalogue C): read, verified, and taken for a restore.

"Refused" is one line that names the member and the line, and exit code 4 of ``verify``. A value that Stash cannot take
is left out and told; the record is kept, and what is not known of it changes nothing.
"""

import hashlib
import json
import tracemalloc

import pytest

from stash_portability.__main__ import main
from stash_portability.backup import verify
from stash_portability.errors import Unreadable, UnsupportedVersion, VerificationFailed
from stash_portability.kinds import KINDS
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.libraries.archive_values import values_of
from stash_portability.libraries.record_check import MOST_IMAGE, Values, circle, image_problem
from stash_portability.means import Means
from stash_portability.progress import Quiet

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def archive(tmp_path):
    """Make an archive whose manifest agrees with the lines of its kinds and with its images; give its path."""

    def make(images=(), version=1, **kinds):
        folder = tmp_path / "archive"
        members = []

        def put(name, content, **said):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            members.append({"name": name, "bytes": len(content), "sha256": digest(content), **said})

        for kind, lines in kinds.items():
            put(f"records/{kind}/0001.jsonl", b"".join(lines), kind=kind, records=len(lines))
        for image in images:
            put(f"blobs/{digest(image)}", image)
        fields = {kind: list(KINDS[kind].names()) for kind in kinds if kind in KINDS}
        said = {"format": "stash-portability archive", "version": version, "fields": fields, "members": members}
        (folder / "manifest.json").write_text(json.dumps(said))
        return folder

    return make


def digest(content):
    return hashlib.sha256(content).hexdigest()


def line(kind="tag", uid="1", **data):
    return json.dumps({"kind": kind, "id": uid, **data}).encode() + b"\n"


def refused(path, words, capsys):
    """Verifying is refused, in one line with these words."""
    with pytest.raises(VerificationFailed, match=words) as caught:
        verify(path, Quiet(), Means())
    assert "\n" not in str(caught.value)
    assert main(["--quiet", "verify", str(path)]) == 4
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "Traceback" not in said


def told(path):
    """What verify tells of the values, as {where: what}; the archive itself holds."""
    report = verify(path, Quiet(), Means())
    assert main(["--quiet", "verify", str(path)]) == (1 if report.reasons else 0)
    return {where: reason.text for reason in report.reasons for where in reason.examples}


def taken(path, kind):
    """The records of a kind as a restore takes them."""
    source = ArchiveSource(path)
    values = values_of(source)
    return [values.cleaned(record, lambda *_: None).data for record in source.read(kind)]


@pytest.mark.parametrize(
    ("kind", "twice", "key"),
    [
        ("tag", b'{"kind":"tag","id":"1","name":"Coast","name":"Delta"}\n', "name"),
        ("tag", b'{"kind":"tag","id":"1","id":"2","name":"Delta"}\n', "id"),
        ("scene", b'{"kind":"scene","id":"1","files":[{"path":"/a","path":"/b"}]}\n', "path"),
    ],
)
def test_c01_a_key_that_comes_twice(kind, twice, key, archive, capsys):
    refused(archive(**{kind: [twice]}), f"0001.jsonl: line 1 is not JSON: the key '{key}' comes twice", capsys)


def test_c01_a_key_that_comes_twice_in_the_manifest(archive):
    path = archive(tag=[line(name="Coast")])
    manifest = path / "manifest.json"
    manifest.write_text(manifest.read_text("utf-8").replace('{"format"', '{"version": 1, "format"'))
    with pytest.raises(Unreadable):
        ArchiveSource(path)


@pytest.mark.parametrize(("depth", "good"), [(60, True), (65, False), (2_000, False), (100_000, False)])
def test_c02_nested_deeply(depth, good, archive, capsys):
    deep = b'{"kind":"saved_filter","id":"1","name":"x","object_filter":' + b"[" * depth + b"]" * depth + b"}\n"
    path = archive(saved_filter=[deep])
    if good:
        assert told(path) == {}
    else:
        refused(path, "line 1", capsys)


def test_c03_a_line_without_end(archive, capsys):
    refused(archive(tag=[line(description="x" * (16 << 20))]), "line 1 is longer than 16 MiB", capsys)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "10" * 200])
def test_c04_numbers_that_are_none(number, archive, capsys):
    bad = f'{{"kind":"scene","id":"1","resume_time":{number}}}\n'.encode()
    refused(archive(scene=[bad]), "line 1 is not JSON", capsys)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40, 123456789012345678901])
def test_c04_whole_numbers_are_exact_or_refused(number, archive, capsys):
    custom = f'{{"kind":"performer","id":"1","name":"A","custom_fields":{{"n":{number}}}}}\n'.encode()
    refused(archive(performer=[custom]), "has more than 64 bits", capsys)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63)])
def test_c04_the_largest_number_of_stash_is_kept(number, archive):
    path = archive(performer=[line("performer", name="A", custom_fields={"n": number})])
    assert told(path) == {}
    assert taken(path, "performer")[0]["custom_fields"] == {"n": number}


def test_c04_a_number_stash_cannot_hold_is_left_out(archive):
    path = archive(
        scene=[line("scene", groups=[{"group": "1", "scene_index": 2**63}])], group=[line("group", name="A")]
    )
    assert told(path) == {"scene 1": f"groups: scene_index: {2**63} is no number that Stash can hold"}
    assert "groups" not in taken(path, "scene")[0]


def test_c05_a_byte_order_mark_is_passed_over(archive):
    assert told(archive(tag=[b"\xef\xbb\xbf" + line(name="Coast")])) == {}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line(name="Coast").decode().encode("utf-16"), "no UTF-8 at byte 1"),
        (b'{"kind":"tag","id":"1","name":"K\xfcste"}\n', "no UTF-8 at byte 33"),
        (b'{"kind":"tag","id":"1","name":"\xed\xa0\x80"}\n', "no UTF-8 at byte 32"),
        (b'{"kind":"tag","id":"1","name":"\\ud800"}\n', "surrogate"),
    ],
    ids=["UTF-16", "Latin-1", "surrogate in UTF-8", "lone surrogate"],
)
def test_c05_other_encodings_are_refused_with_their_place(bad, words, archive, capsys):
    lines = bad.count(b"\n")
    refused(archive(tag=[bad, *[b""] * (lines - 1)]), f"line 1 is not JSON: .*{words}", capsys)


@pytest.mark.parametrize("name", ["a\u202eb", "zero\u200bwidth", "\u2066x\u2069", "\x1b[31m", "tab\t"])
def test_c06_odd_characters_are_kept_as_they_are(name, archive):
    path = archive(tag=[line(name=name)])
    assert told(path) == {}
    assert taken(path, "tag") == [{"name": name}]


def test_c06_a_nul_is_left_out_and_told(archive):
    path = archive(
        tag=[line(name="Coast", description="a\0b", aliases=["x", "\0"])],
        performer=[line("performer", name="A\0", custom_fields={"a": "\0"})],
    )
    source, found = ArchiveSource(path), []
    for kind in ("tag", "performer"):
        for record in source.read(kind):
            values_of(source).cleaned(record, lambda what, _: found.append(what))
    assert sorted(found) == [f"{name}: it holds a NUL" for name in ("aliases", "custom_fields", "description", "name")]
    assert taken(path, "tag") == [{"name": "Coast"}]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (line("tag", nome="Coast"), "line 1: tag has no field 'nome'"),
        (line("planet", name="Mars"), "line 1: 'planet' is no kind of record"),
        (line("scene", stash_ids=[{"endpoint": "x", "odd": 1}]), "stash_ids has no field 'odd'"),
    ],
)
def test_c07_what_nobody_knows_is_refused_and_never_dropped(bad, words, archive, capsys):
    refused(archive(**{"scene" if b"scene" in bad else "tag": [bad]}), words, capsys)


def test_c07_a_newer_format_is_another_version(archive):
    path = archive(version=2, tag=[line(name="Coast")])
    with pytest.raises(UnsupportedVersion):
        ArchiveSource(path)
    assert main(["--quiet", "verify", str(path)]) == 5


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"rating100": "high"}, "rating100: a whole number is expected"),
        ({"rating100": True}, "rating100: a whole number is expected"),
        ({"tags": {"1": "Coast"}}, "tags: a list is expected"),
        ({"title": ["x"]}, "title: text is expected"),
        ({"organized": 1}, "organized: true or false is expected"),
        ({"files": ["x"]}, "files: parts are expected"),
    ],
)
def test_c08_wrong_types_are_refused_and_named(data, words, archive, capsys):
    refused(archive(scene=[line("scene", "7"), line("scene", "8", **data)]), f"line 2: {words}", capsys)


@pytest.mark.parametrize("date", ["2023", "2023-06", "2023-06-30", "2024-02-29", "0001-01-01"])
def test_c09_dates_as_exact_as_they_are_known(date, archive):
    path = archive(scene=[line("scene", date=date)])
    assert told(path) == {}
    assert taken(path, "scene") == [{"date": date}]


@pytest.mark.parametrize(
    "date",
    [
        "0000-00-00",
        "0000",
        "2023-13-01",
        "2023-02-30",
        "10000-01-01",
        "2023-6",
        "20230630",
        "2023-W01-1",
        "soon",
        " 2023",
    ],
)
def test_c09_dates_that_are_none_are_left_out(date, archive):
    path = archive(
        scene=[line("scene", title="Otters", date=date)], performer=[line("performer", name="A", birthdate=date)]
    )
    assert told(path) == {"scene 1": f"date: {date!r} is no date", "performer 1": f"birthdate: {date!r} is no date"}
    assert taken(path, "scene") == [{"title": "Otters"}]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("scene", {"rating100": 101}),
        ("scene", {"rating100": -1}),
        ("group", {"name": "A", "duration": -5}),
        ("scene", {"play_duration": -0.5}),
        ("performer", {"name": "A", "height_cm": -5}),
        ("performer", {"name": "A", "weight": -1}),
        ("marker", {"scene": "1", "seconds": -1.0}),
        ("chapter", {"gallery": "1", "image_index": 0}),
    ],
)
def test_c10_numbers_out_of_their_range_are_left_out(kind, data, archive):
    (name, value) = list(data.items())[-1]
    more = {"marker": {"scene": [line("scene")]}, "chapter": {"gallery": [line("gallery")]}}.get(kind, {})
    path = archive(**{kind: [line(kind, **data)]}, **more)
    (text,) = [what for where, what in told(path).items() if where == f"{kind} 1"]
    assert text.startswith(f"{name}: {value} is ")
    assert name not in taken(path, kind)[0]


def test_c10_the_ends_of_a_range_are_good(archive):
    scenes = [line("scene", str(uid), rating100=rating) for uid, rating in enumerate((0, 1, 100, None), 1)]
    path = archive(scene=scenes, group=[line("group", name="A", duration=0)])
    assert told(path) == {}


def test_c11_references_that_lead_nowhere_are_listed(archive):
    scenes = [line("scene", "1", tags=["3", "8"], studio="4", groups=[{"group": "5"}])]
    path = archive(scene=scenes, tag=[line(uid="3", name="Coast", parents=["9"])])
    reason = "others refer to it, and it is not in the archive"
    assert told(path) == dict.fromkeys(("tag 8", "tag 9", "studio 4", "group 5"), reason)


@pytest.mark.parametrize("kind", ["tag", "studio", "group"])
@pytest.mark.parametrize("way", [["1"], ["2", "1"], ["2", "3", "1"]], ids=["of itself", "of two", "of three"])
def test_c11_a_circle_of_parents_is_refused(kind, way, archive, capsys):
    above = dict(zip(["1", *way], way, strict=False))

    def parents(uid):
        return {
            "tag": {"parents": [above[uid]]},
            "studio": {"parent": above[uid]},
            "group": {"containing_groups": [{"group": above[uid]}]},
        }[kind]

    lines = [line(kind, uid, name=f"name {uid}", **parents(uid)) for uid in sorted(above)]
    refused(archive(**{kind: lines}), f"the {kind}s 1 →.* 1 lie in a circle", capsys)


def test_c11_a_deep_and_a_wide_hierarchy_are_no_circle():
    deep = {str(uid): [str(uid + 1)] for uid in range(100_000)}
    assert circle(deep) == []
    assert circle({**deep, "100000": ["50000"]})[0] == "50000"
    diamond = {"1": ["2", "3"], "2": ["4"], "3": ["4"], "4": []}
    assert circle(diamond) == []


@pytest.mark.parametrize("kind", ["tag", "studio", "performer", "group", "saved_filter"])
@pytest.mark.parametrize("name", ["", "   ", "\u00a0\t", None])
def test_c12_names_of_nothing_are_told(kind, name, archive):
    assert told(archive(**{kind: [line(kind, name=name)]})) == {f"{kind} 1": "name: a name is missing"}


def test_c12_scenes_need_no_title(archive):
    assert told(archive(scene=[line("scene", title=None)])) == {}


IMAGES = {
    "text": (b"just text", "what is kept as its image is none"),
    "a web page": (b"<html><script>alert(1)</script></html>", "what is kept as its image is none"),
    "nothing": (b"", "what is kept as its image is none"),
    "a script": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>', "an SVG with a script"),
    "a handler": (b'<svg xmlns="http://www.w3.org/2000/svg" onLoad="x()"/>', "an SVG with a script"),
    "a link": (b'<svg><a href="JavaScript:x()"/></svg>', "an SVG with a script"),
    "a program": (b"\x7fELF" + bytes(60), "what is kept as its image is none"),
}


@pytest.mark.parametrize(("image", "words"), IMAGES.values(), ids=IMAGES)
def test_c14_images_that_are_none_are_left_out(image, words, archive):
    path = archive(images=[image], tag=[line(name="Coast", image=digest(image))])
    assert words in told(path)["tag 1"]
    assert taken(path, "tag") == [{"name": "Coast"}]


@pytest.mark.parametrize(
    "image",
    [
        PNG, b"\xff\xd8\xff\xe0" + bytes(40), b"GIF89a" + bytes(40), b"RIFF\x10\0\0\0WEBPVP8 ", b"\0\0\0\x20ftypavif",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    ],
    ids=["PNG", "JPEG", "GIF", "WebP", "AVIF", "SVG"],
)  # fmt: skip
def test_c14_images_that_browsers_show_are_kept(image, archive):
    path = archive(images=[image], tag=[line(name="Coast", image=digest(image))])
    assert told(path) == {}


def test_c14_an_image_is_at_most_32_mib():
    def content(count):
        return PNG[:count]

    assert image_problem(MOST_IMAGE, content) == ""
    assert "33,554,432 is the most" in image_problem(MOST_IMAGE + 1, content)


def test_c15_many_records_in_constant_memory(archive):
    """Streamed: twenty times as many records take no more memory."""

    def peak(count):
        lines = [line("tag", str(uid), name=f"tag {uid}") for uid in range(1, count + 1)]
        path = archive(tag=lines)
        del lines
        tracemalloc.start()
        source = ArchiveSource(path)
        values = Values()
        assert sum(1 for record in source.read_stored("tag") if not values.problems(record)) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(1_000), peak(20_000)
    assert many < few + (1 << 20)


def test_c16_a_half_last_line_is_refused_in_an_archive(archive, capsys):
    refused(archive(tag=[line(name="Coast"), line(uid="2", name="Delta")[:-9]]), "line 2|records", capsys)


@pytest.mark.parametrize("content", [b"", b"\n", b"null\n", b"[]\n"])
def test_lines_that_are_no_records(content, archive, capsys):
    if content:
        refused(archive(tag=[content]), "line 1", capsys)
    else:
        assert told(archive(tag=[])) == {}
