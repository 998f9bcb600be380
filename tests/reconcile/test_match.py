"""The ladders: what is taken for the same thing, and what is left open."""

from stash_portability.model import Record
from stash_portability.reconcile.plan import Task
from stash_portability.reconcile.workset import Agreed

from .films import marker, memory, record_all, scene, tag
from .running import FROM_SOURCE, REPLACE, STATE, changes, planned, run


def pairs(kind, ours, theirs):
    """What a plan says of records of one kind: pairs by (source's place, target's place), and ambiguities."""
    source = memory(record_all(kind, 1, ours))
    target = memory(record_all(kind, 51, theirs))
    with planned(source, target, FROM_SOURCE) as plan:
        list(plan.changes)
        workset = plan.changes.workset
        rows = workset.rows("SELECT uid, goes FROM record WHERE side = 'source' AND goes NOT LIKE 'new:%' ORDER BY id")
        found = [(int(ours) - 1, int(theirs) - 51) for ours, theirs in rows]
        return found, [(one.uid, one.candidates) for one in plan.ambiguities]


def box(stash_id):
    return [{"endpoint": "https://box.example", "stash_id": stash_id}]


def person(name, disambiguation=None, aliases=(), **more):
    return {"name": name, "disambiguation": disambiguation, "aliases": list(aliases), **more}


def test_a_stash_id_counts_more_than_a_name():
    ours = [person("Ada", stash_ids=box("1"))]
    assert pairs("performer", ours, [person("Ada"), person("Bea", stash_ids=box("1"))]) == ([(0, 1)], [])


def test_tags_that_differ_only_in_case_stay_apart():
    assert pairs("tag", [tag("Sea"), tag("sea")], [tag("sea"), tag("Sea")]) == ([(0, 1), (1, 0)], [])
    assert pairs("tag", [tag("Sea")], [tag("SEA")]) == ([(0, 0)], [])
    assert pairs("tag", [tag("Sea")], [tag("SEA"), tag("sea")]) == ([], [("1", ("51", "52"))])


def test_wildcards_in_names_are_letters():
    assert pairs("tag", [tag("100%"), tag("a_b")], [tag("1000"), tag("axb")]) == ([], [])


def test_a_name_that_is_an_alias_on_the_other_side():
    assert pairs("tag", [tag("Woods")], [tag("Forest", aliases=["Woods"])]) == ([(0, 0)], [])
    assert pairs("tag", [tag("Forest", aliases=["woods"])], [tag("Woods")]) == ([(0, 0)], [])
    assert pairs("performer", [person("Jo"), person("Jo", "x")], [person("Ann", aliases=["Jo"])])[0] == []


def test_performers_of_one_name_are_never_guessed():
    assert pairs("performer", [person("Ada", "poet")], [person("Ada", "pilot")]) == ([], [])
    assert pairs("performer", [person("Ada", "poet")], [person("Ada")]) == ([], [("1", ("51",))])
    assert pairs("performer", [person("Ada")], [person("Ada", "poet")]) == ([], [("1", ("51",))])
    several = [person("Ada", "poet"), person("Ada", "pilot")]
    assert pairs("performer", several, [person("Ada")]) == ([], [("1", ("51",)), ("2", ("51",))])
    assert pairs("performer", several, [person("Ada", "pilot")]) == ([(1, 0)], [])


def test_any_file_of_a_scene_tells_it():
    both = scene("a1")
    both["files"] += scene("b2")["files"]
    assert pairs("scene", [scene("b2")], [both]) == ([(0, 0)], [])


def test_scenes_that_share_a_file_are_told_by_the_next_rung_or_left():
    ours = [scene("a1", stash_ids=box("1")), scene("a1", stash_ids=box("2"))]
    theirs = [scene("a1", stash_ids=box("2")), scene("a1", stash_ids=box("1"))]
    assert pairs("scene", ours, theirs) == ([(0, 1), (1, 0)], [])
    unlike = [scene("a1", title="x"), scene("a1", title="y")]
    assert pairs("scene", [scene("a1", title="z")], unlike) == ([], [("1", ("51", "52"))])


def film(print_, **more):
    """A scene of one file; its path tells nothing of its print."""
    file = {"path": f"/films/{more.pop('path', print_)}.mp4", "size": 10, "fingerprints": []}
    file["fingerprints"] = [{"type": "oshash", "value": print_}] if print_ else []
    return scene("x", **{"files": [file], **more})


def without_file(title, **more):
    return scene("x", **{"files": [], "title": title, **more})


SERIES = {"urls": ["https://otters.example/series"]}


def test_files_that_hold_something_else_are_never_one_scene():
    ours = [film("a1", **SERIES), film("b2", **SERIES)]
    assert pairs("scene", ours, [film("a1", **SERIES), film("c3", **SERIES)]) == ([(0, 0)], [])
    assert pairs("scene", [film("b2", **SERIES)], [film("c3", **SERIES)]) == ([], [])
    assert pairs("scene", [film("b2", stash_ids=box("1"))], [film("c3", stash_ids=box("1"))]) == ([], [("1", ("51",))])
    assert pairs("scene", [film("b2", path="reef")], [film("c3", path="reef")]) == ([], [("1", ("51",))])
    assert pairs("scene", [film("b2", path="reef")], [film("", path="reef")]) == ([(0, 0)], [])
    phash = [{"type": "phash", "value": "ff"}]
    again = [film(print_, stash_ids=box("1")) for print_ in ("b2", "c3")]
    for one in again:
        one["files"][0]["fingerprints"] += phash
    assert pairs("scene", again[:1], again[1:]) == ([(0, 0)], [])


def test_pictures_and_zips_that_hold_something_else_are_never_one():
    def held(print_, **more):
        return {
            "title": None,
            "files": [{"path": "/films/a", "fingerprints": [{"type": "md5", "value": print_}]}],
            **more,
        }

    assert pairs("image", [held("1")], [held("2")]) == ([], [("1", ("51",))])
    assert pairs("gallery", [held("1", folder=None)], [held("2", folder=None)]) == ([], [("1", ("51",))])


def test_what_speaks_against_a_pair_is_told_and_keeps_the_target_s_from_being_deleted():
    source, target = (
        memory([Record("scene", "1", film("b2", path="a"))]),
        memory([Record("scene", "7", film("c3", path="a"))]),
    )
    with planned(source, target, REPLACE) as plan:
        assert list(plan.changes) == []
        assert [one.why for one in plan.ambiguities] == ["the same path, but their files hold something else"]


def test_a_key_that_paired_records_have_too_is_not_enough():
    ours = [film("a1", **SERIES), without_file("Dunes", **SERIES)]
    theirs = [film("a1", **SERIES), without_file("Marsh", **SERIES)]
    assert pairs("scene", ours, theirs) == ([(0, 0)], [("2", ("52",))])
    assert pairs("scene", ours[1:], theirs[1:]) == ([(0, 0)], [])
    twice = [without_file("Reef", stash_ids=box("1"), rating100=rating) for rating in (10, 20)]
    assert pairs("scene", twice, [without_file("Reef", stash_ids=box("1"), rating100=10),
                                  without_file("Reef", stash_ids=box("1"), rating100=30)]) == (
        [(0, 0)], [("2", ("52",))])  # fmt: skip


def group(name, date=None, urls=()):
    return {"name": name, "date": date, "urls": list(urls), "aliases": None, "tags": [], "containing_groups": []}


def test_volumes_of_a_series_are_not_one_group():
    page = SERIES["urls"]
    assert pairs("group", [group("Volume 1", urls=page)], [group("Volume 2", urls=page)]) == ([], [])
    assert pairs("group", [group("Volume 1", "2001", page)], [group("Volume 2", "2002", page)]) == ([], [])
    assert pairs("group", [group("Vol. 1", "2001-02-03", page)], [group("Volume 1", "2001-02-03", page)]) == (
        [(0, 0)],
        [],
    )
    both = [group("Volume 1", "2001"), group("Volume 2", "2001", page)]
    assert pairs("group", [group("Volume 1", "2001", page)], both) == ([(0, 0)], [])


def test_groups_of_one_name_and_other_years_are_told_apart():
    rivers = [group("Rivers", "1990"), group("Rivers", "2020-05-01")]
    assert pairs("group", rivers[:1], rivers[1:]) == ([], [("1", ("51",))])
    assert pairs("group", [group("rivers", "1990")], rivers[1:]) == ([], [("1", ("51",))])
    assert pairs("group", rivers, rivers[1:]) == ([(1, 0)], [])
    assert pairs("group", rivers[1:], [group("Rivers", "2020")]) == ([(0, 0)], [])
    assert pairs("group", rivers[:1], [group("Rivers")]) == ([(0, 0)], [])
    page = SERIES["urls"]
    assert pairs("group", [group("Rivers", "1990", page)], [group("Rivers", "2020", page)]) == ([(0, 0)], [])


def test_stash_ids_of_one_endpoint_tell_people_and_studios_apart():
    for kind in ("performer", "studio"):
        one, other = (person("Robin", stash_ids=box(number)) for number in "12")
        assert pairs(kind, [one], [other]) == ([], [("1", ("51",))])
        elsewhere = person("Robin", stash_ids=[{"endpoint": "https://other.example", "stash_id": "2"}])
        assert pairs(kind, [one], [elsewhere]) == ([(0, 0)], [])
    named = [person("Robin", stash_ids=box("1"))]
    assert pairs("performer", named, [person("Jay", aliases=["Robin"], stash_ids=box("2"))]) == ([], [("1", ("51",))])
    other = memory([Record("performer", "5", person("Robin", "the other one"))])
    with planned(memory(record_all("performer", 1, named)), other, FROM_SOURCE) as plan:
        assert list(plan.changes) == []
        assert [one.why for one in plan.ambiguities] == ["the same name, but only one of them has a disambiguation"]


def test_only_letters_of_ascii_are_the_same_in_both_cases():
    twins = ["Été", "été", "Straße", "Strasse", "ÖL", "öl", "Paſture", "Pasture"]
    for kind, make in (("tag", tag), ("performer", person), ("studio", tag)):
        source, target = memory(record_all(kind, 1, [make(name) for name in twins])), memory([])
        assert run(source, target, FROM_SOURCE).failed == []
        assert sorted(one.data["name"] for one in target.read(kind)) == sorted(twins)
        assert changes(source, target, REPLACE) == []
        assert pairs(kind, [make("Été")], [make("été")]) == ([], [])
        assert pairs(kind, [make("ÉTé")], [make("ÉtÉ"), make("Été")]) == ([(0, 1)], [])


def test_a_name_that_is_the_same_but_for_case_counts_only_when_no_other_is():
    assert pairs("tag", [tag("Sea"), tag("sea")], [tag("SEA"), tag("sea")]) == ([(1, 1)], [("1", ("51",))])


def stills(folder, gallery, prints):
    """A gallery of a folder, and the pictures in it."""
    first = int(gallery) * 10
    pictures = [
        {"title": None, "galleries": [gallery],
         "files": [{"path": f"{folder}/{print_}.jpg", "fingerprints": [{"type": "md5", "value": print_}]}]}
        for print_ in prints
    ]  # fmt: skip
    made = {"title": None, "files": [], "folder": folder, "tags": [], "urls": []}
    return [Record("gallery", gallery, made), *record_all("image", first, pictures)]


def moved(ours, theirs):
    with planned(memory(ours), memory(theirs), REPLACE) as plan:
        gone = [one.uid for one in plan.changes if (one.op, one.kind) == ("delete", "gallery")]
        rows = plan.changes.workset.rows(
            "SELECT uid, goes FROM record WHERE kind = 'gallery' AND side = 'source' AND goes IS NOT NULL ORDER BY uid"
        )
        told = [(one.uid, one.candidates) for one in plan.ambiguities]
        return list(rows), gone, told, [one.uid for one in plan.waiting if one.kind == "gallery"]


def test_a_folder_that_was_moved_is_known_by_its_pictures():
    ours = [*stills("/old/Reef", "1", "abc"), *stills("/old/more/Reef", "2", "def")]
    theirs = [*stills("D:\\new\\Reef", "5", "ab"), *stills("/new/more/Reef", "6", "defg")]
    assert moved(ours, theirs) == ([("1", "5"), ("2", "6")], [], [], [])


def test_a_folder_of_the_same_name_with_other_pictures_is_another():
    ours, theirs = stills("/old/Reef", "1", "abcd"), stills("/new/Reef", "5", "xyz")
    assert moved(ours, theirs) == ([], ["5"], [], ["1"])
    assert moved(ours, stills("/new/Dune", "5", "abcd")) == ([], ["5"], [], ["1"])
    some = [*stills("/new/Reef", "5", "axy"), *stills("/new/Dune", "6", "bcd")]
    assert moved(ours, some) == ([], ["6"], [("1", ("5",))], [])


def test_twins_without_a_file_are_paired_in_their_order():
    film = {**scene("x", title="Reef"), "files": []}
    assert pairs("scene", [film, film, film], [film, film]) == ([(0, 0), (1, 1)], [])


def test_a_candidate_that_is_taken_leaves_the_other_free_for_the_next_rung():
    ours = [scene("a1", stash_ids=box("1")), scene("b2", stash_ids=box("1"))]
    theirs = [scene("a1", stash_ids=box("1")), {**scene("c3"), "files": []}]
    assert pairs("scene", ours, theirs) == ([(0, 0)], [])


def test_twin_markers_get_an_ordinal_and_a_second_run_is_empty():
    films = [Record("tag", "1", tag("Bird")), Record("scene", "1", scene("a1"))]
    twins = record_all("marker", 1, [marker("1", 3.0, primary_tag="1"), marker("1", 3.0004, primary_tag="1")])
    source, target = memory([*films, *twins]), memory(films)
    assert [one.op for one in changes(source, target, FROM_SOURCE)] == ["create", "create"]
    assert changes(source, memory([*films, *twins]), REPLACE) == []


def test_only_a_scan_makes_images_zip_galleries_and_scenes_with_files():
    zip_ = {"title": None, "files": [{"path": "/films/stills.zip", "fingerprints": []}], "folder": None}
    image = {"title": "Still", "files": [{"path": "/films/a.jpg", "fingerprints": []}], "galleries": ["1"]}
    chapter = {"gallery": "1", "title": "Dawn", "image_index": 1}
    own = {**scene("x", title="Reef"), "files": []}
    source = memory([Record("gallery", "1", zip_), Record("image", "1", image), Record("chapter", "1", chapter),
                     Record("scene", "1", scene("a1")), Record("scene", "2", own),
                     Record("marker", "1", marker("1", 1.0))])  # fmt: skip
    with planned(source, memory([]), FROM_SOURCE) as plan:
        assert [(one.kind, one.op) for one in plan.changes] == [("scene", "create")]
        waiting = {(one.kind, one.uid) for one in plan.waiting}
    assert waiting == {("gallery", "1"), ("image", "1"), ("chapter", "1"), ("scene", "1"), ("marker", "1")}


def test_a_reference_to_what_is_not_certain_takes_nothing_away():
    ours = [Record("tag", "1", tag("Sea")), Record("scene", "1", scene("a1", tags=["1"]))]
    theirs = [
        Record("tag", "5", tag("SEA")),
        Record("tag", "6", tag("sea")),
        Record("scene", "7", scene("a1", tags=["6"])),
    ]
    assert changes(memory(ours), memory(theirs), REPLACE) == []


def test_what_was_paired_last_time_stays_paired_through_a_rename_and_a_delete_is_carried():
    base = tag("Forest")
    agreed = [Agreed("tag", "1", "9", base), Agreed("tag", "2", "8", tag("Reef"))]
    source = memory([Record("tag", "1", tag("Woods"))])
    target = memory([Record("tag", "9", base), Record("tag", "8", tag("Reef"))])
    found = changes(source, target, STATE, agreed)
    assert [(one.op, one.uid) for one in found] == [("update", "9"), ("delete", "8")]
    assert found[0].after == {"name": "Woods"}


def test_an_edit_beats_a_delete_and_is_told():
    agreed = [Agreed("tag", "1", "9", tag("Forest"))]
    with planned(memory([]), memory([Record("tag", "9", tag("Forest", description="deep"))]), STATE, agreed) as plan:
        assert list(plan.changes) == []
        assert [(one.uid, one.chosen) for one in plan.conflicts] == [("9", "target")]
    with planned(memory([Record("tag", "1", tag("Forest", description="deep"))]), memory([]), STATE, agreed) as plan:
        assert [one.op for one in plan.changes] == ["create"]
    with planned(memory([Record("tag", "1", tag("Forest"))]), memory([]), STATE, agreed) as plan:
        assert list(plan.changes) == []


def test_kinds_that_are_not_asked_for_are_matched_and_left_alone():
    films = [Record("tag", "1", tag("Sea", description="x")), Record("tag", "2", tag("Reef")),
             Record("scene", "1", scene("a1", tags=["1", "2"]))]  # fmt: skip
    target = memory(
        [Record("tag", "5", tag("Sea")), Record("tag", "6", tag("Dune")), Record("scene", "7", scene("a1"))]
    )
    [change] = changes(memory(films), target, REPLACE, task=Task("restore replace", kinds=("scene",)))
    assert (change.kind, change.uid, change.after) == ("scene", "7", {"tags": ["5"]})
