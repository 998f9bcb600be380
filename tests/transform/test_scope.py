"""What a filtered export brings along, and that nothing in it refers to what is not there."""

import pytest

from stash_portability.kinds import KINDS, references
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import EVERYTHING, Record, Want
from stash_portability.transform.scope import Selection, read_parts, uids_of


def record(kind, uid, **data):
    return Record(kind, uid, data)


LIBRARY = [
    record("tag", "1", name="Nature", parents=[]),
    record("tag", "2", name="Sea", parents=["1"]),
    record("tag", "3", name="Reef", parents=["2"]),
    record("tag", "4", name="Desert", parents=["1"]),
    record("studio", "1", name="Tide House", parent=None, tags=[]),
    record("studio", "2", name="Tide Shorts", parent="1", tags=["4"]),
    record("performer", "1", name="Ada Wren", tags=["4"]),
    record("performer", "2", name="Bo Lark", tags=[]),
    record("group", "1", name="Coasts", containing_groups=[], sub_groups=[{"group": "2"}, {"group": "3"}], studio=None),
    record("group", "2", name="Cold coasts", containing_groups=[{"group": "1"}], sub_groups=[], studio=None),
    record("group", "3", name="Warm coasts", containing_groups=[{"group": "1"}], sub_groups=[], studio=None),
    record("gallery", "1", title="Shells", cover="9", studio=None, performers=["2"], tags=[]),
    record("chapter", "1", gallery="1", title="White"),
    record(
        "scene", "1", title="Dawn", studio="2", performers=["1"], tags=["3"], groups=[{"group": "2"}], galleries=["1"]
    ),
    record("scene", "2", title="Dusk", studio=None, performers=["2"], tags=[], groups=[], galleries=[]),
    record("marker", "1", scene="1", primary_tag="2", tags=[]),
    record("marker", "2", scene="2", primary_tag="4", tags=[]),
]


def exported(closure, roots, library=LIBRARY):
    source = MemoryLibrary(library)
    selection = Selection(closure, roots)
    selection.expect_owners(source)
    taken = {}
    for kind in KINDS:
        owners = selection.take_parts(kind) if kind in ("marker", "chapter") else ()
        if owners is None:
            selection.add_all(kind)
        else:
            selection.add_parts(kind, (part.uid for part in read_parts(source, kind, owners)))
        selection.prepare(kind, source)
        ids = selection.ids(kind)
        for found in source.read(kind, Want(ids=ids)):
            taken[kind, found.uid] = selection.see(found)
    return taken, selection


def dangling(taken):
    found = []
    for (kind, uid), record_ in taken.items():
        for field, part in references(KINDS[kind]):
            value = record_.data.get(field.name)
            for entry in value if isinstance(value, list) else [value] if value else []:
                named = entry[part.name] if part else entry
                if ((part or field).of, named) not in taken:
                    found.append((kind, uid, field.name, named))
    return found


def of(taken, kind):
    return sorted(uid for found, uid in taken if found == kind)


def test_full_closure_brings_ancestors_containers_parts_and_what_those_refer_to():
    taken, _ = exported("full", {"scene": ["1"]})
    assert of(taken, "scene") == ["1"]
    assert of(taken, "tag") == ["1", "2", "3", "4"]
    assert of(taken, "studio") == ["1", "2"]
    assert of(taken, "performer") == ["1", "2"]
    assert of(taken, "group") == ["1", "2"]
    assert of(taken, "gallery") == ["1"]
    assert of(taken, "chapter") == ["1"]
    assert of(taken, "marker") == ["1"]


def test_direct_closure_brings_what_the_records_refer_to_and_no_more():
    taken, selection = exported("direct", {"scene": ["1"]})
    assert of(taken, "tag") == ["2", "3"]
    assert of(taken, "studio") == ["2"]
    assert of(taken, "performer") == ["1"]
    assert of(taken, "group") == ["2"]
    assert of(taken, "chapter") == []
    assert taken["tag", "2"].data["parents"] == []
    assert selection.left_out > 0


def test_no_closure_takes_only_the_records_and_leaves_their_references_out():
    taken, _ = exported("none", {"scene": ["1"]})
    assert list(taken) == [("scene", "1")]
    assert taken["scene", "1"].data["studio"] is None
    assert taken["scene", "1"].data["tags"] == []


@pytest.mark.parametrize("closure", ["none", "direct", "full"])
@pytest.mark.parametrize(
    "roots",
    [{"scene": ["1"]}, {"scene": ["2"]}, {"marker": ["2"]}, {"chapter": ["1"]}, {"group": ["3"]}, {"tag": ["3"]},
     {"scene": ["2"], "marker": ["1"], "performer": ["1"]}, {"scene": None}, {"gallery": None}, {"marker": None},
     {"chapter": None}],
    ids=str,
)  # fmt: skip
def test_nothing_taken_refers_to_what_is_not_there(closure, roots):
    taken, _ = exported(closure, roots)
    assert dangling(taken) == []


def test_a_marker_asked_for_brings_its_scene_but_not_the_other_markers():
    taken, _ = exported("full", {"marker": ["2"]})
    assert of(taken, "scene") == ["2"]
    assert of(taken, "marker") == ["2"]


@pytest.mark.parametrize(("kind", "owner", "name"), [("marker", "scene", "scene"), ("chapter", "gallery", "gallery")])
def test_parts_asked_for_as_a_whole_keep_their_owners(kind, owner, name):
    taken, _ = exported("full", {kind: None})
    assert all((owner, record_.data[name]) in taken for (found, _), record_ in taken.items() if found == kind)


def test_sub_groups_are_not_pulled_but_kept_where_they_are_taken():
    taken, _ = exported("full", {"scene": ["1"]})
    assert taken["group", "1"].data["sub_groups"] == [{"group": "2"}]


def test_a_whole_library_is_not_looked_at_record_by_record():
    assert Selection("full", dict.fromkeys(KINDS)).holds_everything()


def test_a_cycle_of_parents_ends():
    library = [record("tag", "1", name="a", parents=["2"]), record("tag", "2", name="b", parents=["1"])]
    taken, _ = exported("full", {"tag": ["1"]}, library)
    assert of(taken, "tag") == ["1", "2"]


class CountingLibrary(MemoryLibrary):
    """Counts the records that are read."""

    def __init__(self, records):
        super().__init__(records)
        self.read_count = 0

    def read(self, kind, want=EVERYTHING):
        for found in super().read(kind, want):
            self.read_count += 1
            yield found

    def read_parts(self, kind, owners, want=EVERYTHING):
        wanted = {"marker": "scene", "chapter": "gallery"}[kind]
        return (found for found in super().read(kind) if found.data[wanted] in owners)


def test_the_closure_of_one_scene_does_not_read_the_whole_library():
    many = [record("tag", str(n), name=f"t{n}", parents=[]) for n in range(100, 2100)]
    source = CountingLibrary(LIBRARY + many)
    selection = Selection("full", {"scene": ["1"]})
    for kind in KINDS:
        selection.prepare(kind, source)
        for found in source.read(kind, Want(ids=selection.ids(kind))):
            selection.see(found)
    assert source.read_count < 60


def test_uids_of_gives_nothing_for_an_empty_field():
    (reference,) = [ref for ref in Selection("full", {})._references["studio"] if ref.of == "studio"]
    assert uids_of(reference, record("studio", "1", parent=None)) == []
