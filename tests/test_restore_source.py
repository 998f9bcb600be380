"""What a restore takes of an archive: what is chosen never changes what is known to be the same."""

import random
import tempfile
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stash_portability.kinds import KINDS
from stash_portability.means import Means
from stash_portability.model import Record, Report
from stash_portability.progress import Quiet
from stash_portability.reconcile.coding import decode
from stash_portability.reconcile.match import match
from stash_portability.reconcile.plan import Task, make_plan
from stash_portability.reconcile.rules import reference_fields
from stash_portability.reconcile.workset import Standing, Workset
from stash_portability.restore_options import RestoreOptions
from stash_portability.restore_source import Filling, fill_target, scope_of

from .reconcile.films import memory, record_all, scene, subset, tag
from .reconcile.running import MERGE, REPLACE

MEANS = Means(now=lambda: datetime(2026, 5, 1, 12, tzinfo=timezone.utc), rng=random.Random(7))
SOME = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
TITLES = st.sampled_from([None, "Dune", "Fen"])


class Held:
    """A library in memory as an archive of everything."""

    header, layers = {"scope": {"kinds": list(KINDS)}}, ()

    def __init__(self, library):
        self.about, self.read, self.open_blob = library.about, library.read, library.open_blob


def filled(workset, source, target, **options):
    """Take both sides in as a restore does; give what was taken."""
    scope = scope_of(RestoreOptions(Path("memory"), "memory", **options), Held(source))
    fill_target(workset, scope, target, lambda blob: blob.key)
    Filling(workset, Held(source), scope, Report("")).fill(Quiet(), MEANS)
    return scope


def planned(workset, source, target, policy=MERGE, **options):
    scope = filled(workset, source, target, **options)
    return make_plan(workset, policy, Task("restore merge", scope.kinds, links=scope.links, chosen=scope.chosen))


def work(folder):
    return Workset(Path(folder) / "work.sqlite")


def studio(name, **more):
    return {"name": name, "aliases": [], "parent": None, "tags": [], **more}


def fileless(**more):
    return {**scene("none"), "files": [], "date": None, "performers": [], **more}


def test_links_of_chosen_records_reach_scenes_that_are_known_by_what_was_not_chosen(tmp_path):
    """Scenes without a file are known by title, date and studio; that studio has the lost tag itself, or has not."""
    ours = [
        Record("tag", "7", tag("Season 0")),
        Record("studio", "1", studio("Marsh Films")),
        Record("studio", "2", studio("Heath Films", tags=["7"])),
        Record("performer", "1", {"name": "Ilse", "disambiguation": None, "aliases": [], "tags": [], "stash_ids": []}),
        Record("scene", "1", fileless(title="Reed survey", studio="1", performers=["1"], date="2024", tags=["7"])),
        Record("scene", "2", fileless(title="Reed survey", studio="2", date="2024", tags=["7"])),
        Record("scene", "3", fileless(title="Elsewhere", studio="1", tags=[])),
    ]
    theirs = [one for one in ours if one.kind != "tag"]
    theirs = [Record(one.kind, one.uid, {**one.data, "tags": []}) for one in theirs]
    found = {}
    for name, ids in (("all", {}), ("ids", {"tag": ("7",)})):
        with Workset(tmp_path / name) as workset:
            plan = planned(workset, memory(ours), memory(theirs), kinds=("tag",), ids=ids, links=True)
            found[name] = Counter((one.op, one.kind, one.uid.partition(":")[0]) for one in plan.changes)
            assert (list(plan.ambiguities), list(plan.waiting), list(plan.conflicts)) == ([], [], [])
    expected = {("create", "tag", "new"), ("update", "studio", "2"), ("update", "scene", "1"), ("update", "scene", "2")}
    assert found["ids"] == found["all"] == Counter(expected)


def test_chosen_records_are_linked_with_others_of_their_kind(tmp_path):
    ours = [Record("tag", "1", tag("Water")), Record("tag", "2", tag("River", parents=["1"], description="ours"))]
    theirs = [Record("tag", "6", tag("River"))]
    with work(tmp_path) as workset:
        plan = planned(workset, memory(ours), memory(theirs), ids={"tag": ("1",)}, links=True)
        made, link = plan.changes
    assert (made.op, link.uid, link.after) == ("create", "6", {"parents": [made.uid]})


def test_of_a_kind_taken_whole_all_is_linked_though_of_another_only_some_was_chosen(tmp_path):
    ours = [Record("tag", "1", tag("Water")), Record("studio", "1", studio("Marsh Films")),
            Record("scene", "1", scene("a1", studio="1"))]  # fmt: skip
    with work(tmp_path) as workset:
        theirs = memory([Record("scene", "5", scene("a1"))])
        plan = planned(workset, memory(ours), theirs, kinds=("tag", "studio"), ids={"tag": ("1",)}, links=True)
        found = [(one.op, one.kind, sorted(one.after)) for one in plan.changes if one.kind == "scene"]
    assert found == [("update", "scene", ["studio"])]


def test_a_link_takes_nothing_away_and_replaces_nothing(tmp_path):
    ours = [Record("studio", "1", studio("Marsh Films")), Record("scene", "1", scene("a1", studio="1"))]
    theirs = [Record("studio", "5", studio("Heath Films")), Record("scene", "5", scene("a1", studio="5"))]
    for policy in (MERGE, REPLACE):
        with Workset(tmp_path / str(policy.base)) as workset:
            plan = planned(workset, memory(ours), memory(theirs), policy, ids={"studio": ("1",)}, links=True)
            assert [one.op for one in plan.changes] == ["create"]
            assert [(one.uid, one.field, one.chosen) for one in plan.conflicts] == [("5", "studio", "target")]


def test_a_saved_filter_brings_what_it_names(tmp_path):
    listed = {"items": [{"id": "1", "label": "x"}, {"id": "2", "label": "y"}], "excluded": [], "depth": 0}
    criteria = {"tags": {"modifier": "INCLUDES", "value": listed}}
    ours = [Record("tag", "1", tag("Water", description="ours")), Record("tag", "2", tag("River")),
            Record("tag", "3", tag("Sand")),
            Record("saved_filter", "1", {"mode": "SCENES", "name": "Wet", "object_filter": criteria})]  # fmt: skip
    for name, options in (("ids", {"ids": {"saved_filter": ("1",)}}), ("kinds", {"kinds": ("saved_filter",)})):
        with Workset(tmp_path / name) as workset:
            plan = planned(workset, memory(ours), memory([Record("tag", "5", tag("Water"))]), **options)
            made, saved = plan.changes
        assert (made.kind, made.after["name"], saved.op) == ("tag", "River", "create")
        assert [one["id"] for one in saved.after["object_filter"]["tags"]["value"]["items"]] == ["5", made.uid]


def test_a_part_whose_owner_is_nowhere_is_told(tmp_path):
    ours = [Record("tag", "1", tag("Water")), Record("marker", "1", {"scene": "9", "seconds": 1.0, "primary_tag": "1"})]
    with work(tmp_path) as workset:
        plan = planned(workset, memory(ours), memory([]))
        assert [(one.kind, one.uid, one.why) for one in plan.waiting] == [
            ("marker", "1", "its scene is not brought over")
        ]


@st.composite
def libraries(draw, start):
    """Libraries in which much looks alike: the same names, titles and files, few of them telling."""
    tags = [tag(name, aliases=draw(subset(["Bank", "Shore"], 1))) for name in draw(subset(["Fen", "fen", "Reef"]))]
    tag_ids = [str(start + number) for number in range(len(tags))]
    for number, one in enumerate(tags):
        one["parents"] = draw(subset(tag_ids[:number], 1))
    studios = [studio(name, tags=draw(subset(tag_ids, 1))) for name in draw(subset(["Heath", "heath", "Marsh"]))]
    studio_ids = [str(start + number) for number in range(len(studios))]
    one_studio = st.sampled_from([None, *studio_ids])
    galleries = [{"title": draw(TITLES), "files": [], "folder": None, "date": None, "studio": draw(one_studio),
                  "tags": draw(subset(tag_ids)), "cover": None} for _ in range(draw(st.integers(0, 3)))]  # fmt: skip
    gallery_ids = [str(start + number) for number in range(len(galleries))]
    scenes = []
    for _ in range(draw(st.integers(0, 4))):
        more = {"title": draw(TITLES), "studio": draw(one_studio), "tags": draw(subset(tag_ids)),
                "galleries": draw(subset(gallery_ids, 1))}  # fmt: skip
        scenes.append(fileless(**more) if draw(st.booleans()) else scene(draw(st.sampled_from(["a1", "b2"])), **more))
    scene_ids = [str(start + number) for number in range(len(scenes))]
    made = record_all("tag", start, tags) + record_all("studio", start, studios)
    made += record_all("gallery", start, galleries) + record_all("scene", start, scenes)
    for kind, owners, at in (("marker", scene_ids, "seconds"), ("chapter", gallery_ids, "image_index")):
        parts = []
        for _ in range(draw(st.integers(0, 3)) if owners else 0):
            part = {"title": draw(TITLES), at: draw(st.integers(1, 2))}
            owner = {"marker": "scene", "chapter": "gallery"}[kind]
            tagged = {"primary_tag": draw(st.sampled_from([None, *tag_ids])), "tags": draw(subset(tag_ids, 1))}
            parts.append({owner: draw(st.sampled_from(owners)), **part, **(tagged if kind == "marker" else {})})
        made += record_all(kind, start, parts)
    return made


@st.composite
def selections(draw, records):
    """What may be chosen of ``records``: whole kinds, or some ids of them, or both."""
    kinds = draw(subset(sorted({one.kind for one in records}), 2))
    ids = {}
    for kind in kinds:
        known = [one.uid for one in records if one.kind == kind]
        if draw(st.booleans()):
            ids[kind] = tuple(draw(st.lists(st.sampled_from(known), unique=True, min_size=1)))
    return {"kinds": tuple(kinds), "ids": ids, "links": draw(st.booleans()) if kinds else False}


def goes(workset, kind):
    rows = workset.rows("SELECT uid, goes FROM record WHERE kind = ? AND side = 'source'", kind)
    return dict(iter(rows))


def candidates(workset):
    return set(workset.rows(
        "SELECT s.kind, s.uid, t.uid FROM maybe m JOIN record s ON s.id = m.source JOIN record t ON t.id = m.target"
    ))  # fmt: skip


@SOME
@given(st.data())
def test_a_selection_is_matched_as_all_of_the_archive_is(data):
    ours, theirs = data.draw(libraries(1)), data.draw(libraries(50))
    options = data.draw(selections(ours))
    source, target = memory(ours), memory(theirs)
    with tempfile.TemporaryDirectory() as one, work(one) as whole, tempfile.TemporaryDirectory() as two:
        whole.fill_from("source", source)
        whole.fill_from("target", target)
        match(whole)
        with work(two) as some:
            scope = filled(some, source, target, **options)
            match(some)
            seen = scope.seen()
            for kind in seen:
                assert goes(some, kind) == goes(whole, kind), kind
            assert candidates(some) == {one for one in candidates(whole) if one[0] in seen}
            everything = {(kind, uid) for kind, uid in some.rows("SELECT kind, uid FROM record WHERE side = 'source'")}
            assert everything == {(one.kind, one.uid) for one in ours if one.kind in seen}


@SOME
@given(st.data())
def test_what_is_chosen_is_matched_made_or_told(data):
    ours, theirs = data.draw(libraries(1)), data.draw(libraries(50))
    options = data.draw(selections(ours))
    with tempfile.TemporaryDirectory() as folder, work(folder) as workset:
        plan = planned(workset, memory(ours), memory(theirs), data.draw(st.sampled_from([MERGE, REPLACE])), **options)
        told = {(one.kind, one.uid) for one in (*plan.ambiguities, *plan.waiting)}
        made = {one.uid for one in plan.changes if one.op == "create"}
        rows = workset.rows(
            "SELECT kind, uid, goes, data FROM record WHERE side = 'source' AND standing < ?", int(Standing.KNOWN)
        )
        for kind, uid, where, content in rows:
            assert (kind, uid) in told or (where and not where.startswith("new:")) or where in made, decode(content)


@SOME
@given(st.data())
def test_what_is_not_chosen_is_only_linked(data):
    ours, theirs = data.draw(libraries(1)), data.draw(libraries(50))
    options = data.draw(selections(ours))
    with tempfile.TemporaryDirectory() as folder, work(folder) as workset:
        plan = planned(workset, memory(ours), memory(theirs), data.draw(st.sampled_from([MERGE, REPLACE])), **options)
        for change in plan.changes:
            if change.op != "update" or change.uid.startswith("new:"):
                continue
            sql = "SELECT standing FROM record WHERE kind = ? AND side = 'source' AND goes = ?"
            standing = workset.one(sql, change.kind, change.uid)
            gone = {one[1:3] for one in plan.changes if one.op == "delete"}
            if standing is None:  # its name is needed, and it is deleted later; or what it refers to is deleted
                assert change[1:3] in gone or _only_unlinks(change, gone), change
            elif standing != Standing.CHOSEN:
                assert options["links"]
                for name, value in change.after.items():
                    if options["ids"] and isinstance(value, list):
                        assert set(map(str, change.before[name])) <= set(map(str, value)), (change, name)


def _only_unlinks(change, gone):
    """Whether a change does nothing but take away references to records that are deleted."""
    parts = {one.name: (part, (part or one).of) for one, part in reference_fields(change.kind)}
    for name, value in change.after.items():
        part, of = parts[name]
        had, left = _members(change.before[name], part), _members(value, part)
        if not left < had or not {(of, uid) for uid in had - left} <= gone:
            return False
    return True


def _members(value, part):
    entries = value if isinstance(value, list) else [value] if value else []
    return {entry[part.name] if part else entry for entry in entries}


@SOME
@given(st.data())
def test_links_of_all_ids_of_a_kind_are_the_links_of_the_kind(data):
    ours, theirs = data.draw(libraries(1)), data.draw(libraries(50))
    kind = data.draw(st.sampled_from(["tag", "studio"]))
    ids = tuple(one.uid for one in ours if one.kind == kind)
    if not ids:
        return
    found = []
    for options in ({"kinds": (kind,)}, {"ids": {kind: ids}}):
        with tempfile.TemporaryDirectory() as folder, work(folder) as workset:
            plan = planned(workset, memory(ours), memory(theirs), links=True, **options)
            changes = [one for one in plan.changes if one.op == "update" and not one.uid.startswith("new:")]
            found.append({(one.kind, one.uid, repr(_named(one.after))) for one in changes if one.kind != kind})
    assert found[0] == found[1]


def _named(after):
    """Without the numbers that new records have in a plan, which differ with what is there."""
    return {name: len(value) if isinstance(value, list) else bool(value) for name, value in after.items()}


def test_the_order_of_records_that_are_alike_is_that_of_the_archive(tmp_path):
    same = [{"scene": "1", "seconds": 1.0, "title": None, "primary_tag": "1", "tags": []} for _ in range(3)]
    ours = [Record("tag", "1", tag("Water")), Record("scene", "1", scene("a1")), *record_all("marker", 1, same)]
    theirs = [Record("tag", "5", tag("Water")), Record("scene", "5", scene("a1")),
              *record_all("marker", 5, [{**one, "scene": "5", "primary_tag": "5"} for one in same])]  # fmt: skip
    with work(tmp_path) as workset:
        filled(workset, memory(ours), memory(theirs), ids={"marker": ("3",)})
        match(workset)
        assert goes(workset, "marker") == {"1": "5", "2": "6", "3": "7"}
