"""What a target cannot be given is never planned, and counted where something is lost."""

from stash_portability.model import Policy, Record
from stash_portability.reconcile.plan import Task

from .films import marker, memory, record_all, scene, tag
from .running import EVERY_OP, FROM_SOURCE, MERGE, REPLACE, planned


def look(source, target, policy=FROM_SOURCE, **more):
    """The changes and what is not restored, of a plan."""
    task = Task("restore merge", **more)
    with planned(memory(source), memory(target), policy, task=task) as plan:
        return [(one.op, one.uid, one.after) for one in plan.changes], dict(plan.not_restored), list(plan.waiting)


def test_a_field_without_place_is_neither_compared_nor_created_with():
    cannot = {"tag": {"favorite": "no"}}
    ours = [Record("tag", "1", tag("A", favorite=True)), Record("tag", "2", tag("B", favorite=True))]
    found, lost, _ = look(ours, [Record("tag", "5", tag("A"))], cannot=cannot)
    assert [(op, "favorite" in after) for op, _, after in found] == [("create", False)]
    assert lost == {"tag.favorite": 2}
    assert look(ours[:1], [Record("tag", "5", tag("A", favorite=True))], cannot=cannot) == ([], {}, [])


def test_a_date_that_is_not_whole_is_left_out_where_it_cannot_be_held():
    cannot = {"group": {"date.partial": "no"}}
    ours = record_all("group", 1, [{"name": "A", "date": "2024-05"}, {"name": "B", "date": "2024-05-01"}])
    found, lost, _ = look(ours, [], cannot=cannot)
    assert [after for _, _, after in found] == [{"name": "A"}, {"name": "B", "date": "2024-05-01"}]
    assert lost == {"group.date.partial": 1}


def test_parts_of_entries_and_lists_that_are_too_long():
    box = [{"endpoint": "e", "stash_id": "1", "updated_at": "2024-05-01T00:00:00Z"}]
    ours = [Record("studio", "1", {"name": "A", "urls": ["a", "b"], "stash_ids": box})]
    cannot = {"studio": {"urls.more": "one", "stash_ids.updated_at": "no"}}
    found, lost, _ = look(ours, [], cannot=cannot)
    assert found[0][2] == {"name": "A", "urls": ["a"], "stash_ids": [{"endpoint": "e", "stash_id": "1"}]}
    assert lost == {"studio.urls.more": 1, "studio.stash_ids.updated_at": 1}
    theirs = [Record("studio", "5", {"name": "A", "urls": ["b"], "stash_ids": [{"endpoint": "e", "stash_id": "1"}]})]
    assert look(ours, theirs, cannot=cannot)[0] == []
    other = [Record("studio", "5", {"name": "A", "urls": ["c"], "stash_ids": []})]
    assert [after for _, _, after in look(ours, other, REPLACE, cannot=cannot)[0]] == [
        {"urls": ["a"], "stash_ids": [{"endpoint": "e", "stash_id": "1"}]}
    ]


def test_settings_that_are_not_written_stay_and_those_of_the_target_too():
    ours = [Record("config", "general", {"group": "general", "settings": {"a": 1, "b": 2, "host": "x", "gone": 1}})]
    theirs = [Record("config", "general", {"group": "general", "settings": {"a": 5, "b": 2, "host": "y", "own": 3}})]
    cannot = {"config": {"settings.general.host": "no"}}
    found, lost, _ = look(ours, theirs, REPLACE, cannot=cannot, kinds=("config",))
    assert found == [("update", "general", {"settings": {"a": 1, "b": 2, "host": "y", "own": 3}})]
    assert lost == {"config.settings.general.host": 1, "config.settings.general.gone": 1}


def test_fingerprints_of_ones_own_are_set_on_the_files_that_are_there():
    def film(**prints):
        listed = [{"type": one, "value": value} for one, value in sorted(prints.items())]
        return [{"path": "/films/x.mp4", "fingerprints": listed}]

    ours = [Record("scene", "1", scene("x", files=film(oshash="x", phash="0f", survey="7")))]
    theirs = [Record("scene", "5", scene("x", files=film(oshash="x", phash="ff", blue="1")))]
    assert look(ours, theirs, REPLACE)[0] == [
        ("update", "5", {"files": film(oshash="x", phash="0f", survey="7", blue="1")})
    ]
    assert look(ours, theirs, MERGE)[0] == [
        ("update", "5", {"files": film(oshash="x", phash="ff", survey="7", blue="1")})
    ]
    assert look(ours, theirs, REPLACE, cannot={"scene": {"files.fingerprints": "no"}})[:2] == (
        [], {"scene.files.fingerprints": 1},
    )  # fmt: skip


def test_only_links_of_kinds_that_are_not_restored():
    ours = [Record("tag", "1", tag("A")), Record("scene", "1", scene("x", title="Owl", tags=["1"])),
            Record("scene", "2", scene("y", tags=["1"]))]  # fmt: skip
    theirs = [Record("scene", "5", scene("x"))]
    found, _, waiting = look(ours, theirs, kinds=("tag",), links={"scene": frozenset(("tags",))})
    assert [(op, uid.partition(":")[0], sorted(after)[:1]) for op, uid, after in found] == [
        ("create", "new", ["aliases"]), ("update", "5", ["tags"]),
    ]  # fmt: skip
    assert waiting == []


def test_what_is_brought_along_is_made_and_never_changed():
    source = memory([Record("scene", "1", scene("x", tags=["1", "2"]))])
    target = memory([Record("tag", "5", tag("A")), Record("scene", "5", scene("x"))])
    brought = [Record("tag", "1", tag("A", favorite=True)), Record("tag", "2", tag("B"))]
    with planned(source, target, FROM_SOURCE, brought=brought, task=Task("restore merge", ("scene",))) as plan:
        found = [(one.op, one.kind) for one in plan.changes]
    assert found == [("create", "tag"), ("update", "scene")]


def test_of_chosen_records_only_parts_are_deleted():
    ours = [Record("scene", "1", scene("x")), Record("tag", "1", tag("A"))]
    theirs = [Record("scene", "5", scene("x")), Record("scene", "6", scene("y")), Record("tag", "5", tag("A")),
              Record("tag", "6", tag("B")), Record("marker", "5", marker("5", 1.0, primary_tag="5")),
              Record("marker", "6", marker("6", 1.0, primary_tag="5"))]  # fmt: skip
    found, _, _ = look(ours, theirs, REPLACE, chosen=True)
    assert [(op, uid) for op, uid, _ in found] == [("delete", "5")]


def test_galleries_of_zips_are_not_deleted_nor_their_images():
    zipped = {"title": None, "files": [{"path": "/films/a.zip"}], "folder": None}
    own = {"title": "own", "files": [], "folder": None}
    images = [{"galleries": ["5"], "files": []}, {"galleries": [], "files": []}]
    theirs = [*record_all("gallery", 5, [zipped, own]), *record_all("image", 5, images)]
    found, lost, _ = look([Record("tag", "1", tag("A"))], theirs, Policy(base="target", allow=EVERY_OP))
    assert [(op, uid) for op, uid, _ in found if op == "delete"] == [("delete", "6"), ("delete", "6")]
    assert lost == {"gallery.delete": 1, "image.delete": 1}


def test_a_chapter_waits_for_the_images_it_counts():
    gallery = {"title": "Reeds", "files": [], "folder": None}
    chapters = [{"gallery": "1", "title": title, "image_index": at} for at, title in enumerate("ab", 1)]
    ours = [Record("gallery", "1", gallery), *record_all("chapter", 1, chapters)]
    theirs = [Record("gallery", "5", gallery), Record("image", "5", {"galleries": ["5"], "files": []})]
    found, _, waiting = look(ours, theirs, MERGE)
    assert [after["title"] for _, _, after in found] == ["a"]
    assert [(one.kind, one.uid) for one in waiting] == [("chapter", "2")]


def test_a_scene_of_two_files_is_the_one_of_its_first_and_the_other_is_not_deleted():
    one, two = (scene(name)["files"][0] for name in "xy")
    ours = [Record("scene", "1", scene("x", files=[one, two], title="Owl"))]
    theirs = [Record("scene", "5", scene("x")), Record("scene", "6", scene("y"))]
    found, lost, _ = look(ours, theirs, REPLACE, cannot={"scene": {"files": "a fact of the scan"}})
    assert [(op, uid) for op, uid, _ in found] == [("update", "5")]
    assert lost == {"scene.files": 1}
