"""The order of a plan, names out of the way, links after records, and names that are taken."""

from stash_portability.kinds import KINDS
from stash_portability.model import Blob, Policy, Record
from stash_portability.reconcile.plan import Task
from stash_portability.reconcile.verify import remaining

from .films import marker, memory, record_all, scene, tag, view
from .running import FROM_SOURCE, MERGE, REPLACE, changes, planned, run


def box(stash_id):
    return [{"endpoint": "https://box.example", "stash_id": stash_id}]


def boxed(start, *names):
    """Tags with stash ids 0, 1, 2…, so that names do not tell them."""
    return memory(record_all("tag", start, [tag(name, stash_ids=box(str(n))) for n, name in enumerate(names)]))


def test_kinds_come_before_those_that_refer_to_them_and_deletes_last_parts_first():
    ours = [
        Record("marker", "1", marker("1", 1.0, primary_tag="1")),
        Record("tag", "1", tag("Bird", parents=["2"])), Record("tag", "2", tag("Animal")),
        Record("studio", "1", {"name": "Wild", "parent": None, "tags": ["1"]}),
        Record("scene", "1", {**scene("x", title="Owl", studio="1", tags=["1"]), "files": []}),
    ]  # fmt: skip
    theirs = [Record("tag", "7", tag("Stone")), Record("scene", "7", {**scene("y", title="Rock"), "files": []}),
              Record("marker", "7", marker("7", 1.0, primary_tag="7"))]  # fmt: skip
    found = changes(memory(ours), memory(theirs), REPLACE)
    assert [(one.kind, one.op) for one in found] == [
        ("tag", "create"), ("tag", "create"), ("studio", "create"), ("scene", "create"), ("marker", "create"),
        ("tag", "update"),
        ("marker", "delete"), ("scene", "delete"), ("tag", "delete"),
    ]  # fmt: skip
    known = {one.uid: one for one in found if one.op == "create"}
    link = found[5]
    assert link.after["parents"] == [next(uid for uid, one in known.items() if one.after.get("name") == "Animal")]
    assert known[link.uid].after["parents"] == []


def test_names_that_are_swapped_are_parked():
    source, target = boxed(1, "Day", "Night"), boxed(5, "Night", "Day")
    found = changes(source, target, FROM_SOURCE)
    assert [one.after["name"] for one in found] == ["Night (moving 5)", "Day (moving 6)", "Day", "Night"]
    assert found[2].before == {"name": "Night (moving 5)"}
    assert run(source, target, FROM_SOURCE).failed == []
    assert view(target) == view(source)


def test_a_name_that_a_new_record_takes_from_one_that_is_deleted_or_renamed():
    source = boxed(1, "Day")
    target = memory(
        [
            Record("tag", "5", tag("Dusk", stash_ids=box("0"))),
            Record("tag", "6", tag("x", aliases=["Day"], stash_ids=box("9"))),
        ]
    )
    assert run(source, target, REPLACE).failed == []
    assert view(target) == view(source)


def test_a_parked_name_that_a_broken_run_left_is_known_and_mended():
    source, target = memory([Record("tag", "1", tag("Day"))]), memory([Record("tag", "5", tag("Day (moving 5)"))])
    [change] = changes(source, target, MERGE)
    assert (change.op, change.uid, change.after) == ("update", "5", {"name": "Day"})


def test_parents_that_are_turned_round_are_unlinked_first():
    ours = [Record("tag", "1", tag("A", parents=["2"])), Record("tag", "2", tag("B"))]
    theirs = [Record("tag", "5", tag("A")), Record("tag", "6", tag("B", parents=["5"]))]
    found = changes(memory(ours), memory(theirs), REPLACE)
    assert [(one.uid, one.before["parents"], one.after["parents"]) for one in found] == [
        ("6", ["5"], []),
        ("5", [], ["6"]),
    ]


def test_a_circle_of_parents_in_the_source_is_broken_and_told():
    ours = [Record("tag", "1", tag("A", parents=["2"])), Record("tag", "2", tag("B", parents=["1"]))]
    source, target = memory(ours), memory([])
    with planned(source, target, MERGE) as plan:
        [told] = plan.conflicts
        assert (told.field, told.source, told.target, told.chosen) == ("parents", ["new:tag:1"], [], "target")
    applied = run(source, target, MERGE)
    assert applied.failed == []
    assert [one.data["parents"] for one in target.read("tag")] == [["2"], []]
    assert changes(source, target, MERGE) == []


def test_two_libraries_that_make_a_circle_together_keep_the_links_of_the_target():
    ours = [Record("tag", "1", tag("A", parents=["2"])), Record("tag", "2", tag("B"))]
    theirs = [Record("tag", "5", tag("A")), Record("tag", "6", tag("B", parents=["5"]))]
    with planned(memory(ours), memory(theirs), MERGE) as plan:
        assert list(plan.changes) == []
        assert [(one.uid, one.field) for one in plan.conflicts] == [("5", "parents")]


def test_groups_in_a_circle_are_broken_whichever_end_says_it():
    def group(name, **more):
        return {"name": name, "containing_groups": [], "sub_groups": [], **more}

    both = [group("A", sub_groups=[{"group": "2"}], containing_groups=[{"group": "2"}]),
            group("B", sub_groups=[{"group": "1"}], containing_groups=[{"group": "1"}])]  # fmt: skip
    source, target = memory(record_all("group", 1, both)), memory([])
    run(source, target, MERGE)
    below, above = (one.data for one in target.read("group"))
    assert (below["containing_groups"], below["sub_groups"]) == ([{"group": "2"}], [])
    assert (above["containing_groups"], above["sub_groups"]) == ([], [{"group": "1"}])


def test_an_alias_that_another_record_keeps_is_left_out_and_told():
    source = memory([Record("tag", "1", tag("Forest", aliases=["Grove"])), Record("tag", "2", tag("Reef"))])
    target = memory([Record("tag", "5", tag("Forest")), Record("tag", "6", tag("Reef", aliases=["Grove"]))])
    with planned(source, target, MERGE) as plan:
        assert list(plan.changes) == []
        [told] = plan.conflicts
        assert (told.uid, told.field, told.source, told.chosen) == ("5", "aliases", ["Grove"], "target")


def test_a_record_whose_name_is_taken_is_not_made_and_what_refers_to_it_is_planned_without():
    source = memory(
        [
            Record("tag", "1", tag("Reef")),
            Record("tag", "2", tag("Grove")),
            Record("scene", "1", scene("a1", tags=["2"])),
        ]
    )
    target = memory([Record("tag", "6", tag("Reef", aliases=["Grove"])), Record("scene", "7", scene("a1"))])
    with planned(source, target, MERGE) as plan:
        assert list(plan.changes) == []
        assert [(one.uid, one.candidates) for one in plan.ambiguities] == [("2", ("6",))]
        assert plan.counts["references left out"] == 1


def test_what_is_not_allowed_is_not_planned():
    source, target = memory([Record("tag", "1", tag("A", favorite=True))]), memory([Record("tag", "5", tag("B"))])
    assert changes(source, target, Policy(allow=frozenset())) == []
    assert [one.op for one in changes(source, target, Policy(base="target", allow=frozenset(("create",))))] == [
        "create"
    ]


def test_the_brakes_are_in_the_plan():
    target = memory(record_all("tag", 1, [tag(f"T{number}") for number in range(20)]))
    with planned(memory([]), target, REPLACE) as plan:
        assert [brake.name for brake in plan.brakes] == ["source-empty"]
    with planned(memory([]), target, MERGE, task=Task("import")) as plan:
        assert [brake.name for brake in plan.brakes] == ["source-empty"]


def test_counts_are_those_of_the_records():
    source = memory([Record("tag", "1", tag("A", parents=["2"])), Record("tag", "2", tag("B"))])
    with planned(source, memory([]), MERGE) as plan:
        assert plan.counts == {"tag create": 2}
        assert remaining(plan).counts == {"tag create": 2} and not remaining(plan).nothing


def test_images_are_in_the_plan_as_what_they_are_read_by():
    source = memory([Record("tag", "1", tag("A", image="ff"))])
    [change] = changes(source, memory([Record("tag", "5", tag("A", image=None))]), MERGE)
    assert change.after == {"image": Blob("tag", "1", "image", "ff")}


def saved(**criteria):
    return {"mode": "SCENES", "name": "Rivers", "find_filter": None, "ui_options": None, "object_filter": criteria}


def test_a_saved_filter_waits_for_what_it_names():
    listed = [{"id": "1", "label": "x"}]
    held = {"value": {"items": listed, "excluded": []}, "modifier": "INCLUDES"}
    other = [Record("tag", "2", tag("B")), Record("saved_filter", "2", {**saved(), "name": "All"})]
    gone = "it names {} that are not restored"
    for kind, more in (("scene", [Record("scene", "1", scene("a1"))]), ("studio", []), ("tag", [])):
        filters = [Record("saved_filter", "1", saved(**{f"{kind}s": held}))]
        source = memory([*filters, *other, *more])
        for policy in (MERGE, REPLACE):
            with planned(source, memory([]), policy) as plan:
                assert [one.after["name"] for one in plan.changes if one.kind == "saved_filter"] == ["All"]
                told = [(one.uid, one.why) for one in plan.waiting if one.kind == "saved_filter"]
            assert told == [("1", gone.format(KINDS[kind].plural))]
        there = saved(tags={"value": {"items": [{"id": "5", "label": "y"}], "excluded": []}, "modifier": "INCLUDES"})
        target = memory([Record("saved_filter", "8", there), Record("tag", "5", tag("B"))])
        with planned(source, target, REPLACE) as plan:
            assert [one for one in plan.changes if one.uid == "8"] == []
            assert [one.uid for one in plan.waiting if one.kind == "saved_filter"] == ["1"]


def test_saved_filters_name_the_records_of_the_target():
    def tags(*uids, excluded=()):
        listed = [[{"id": uid, "label": "x"} for uid in some] for some in (uids, excluded)]
        return {"modifier": "INCLUDES", "value": {"items": listed[0], "excluded": listed[1], "depth": 0}}

    one = saved(tags=tags("1", "9", excluded=("2",)), rating100={"value": 1})
    source = memory([*record_all("tag", 1, [tag("A"), tag("B")]), Record("saved_filter", "1", one)])
    target = memory([Record("tag", "5", tag("X")), Record("tag", "6", tag("A"))])
    assert run(source, target, MERGE).differs == []
    [held] = target.read("saved_filter")
    assert held.data["object_filter"] == saved(tags=tags("6", excluded=("7",)), rating100={"value": 1})["object_filter"]
    assert changes(source, target, MERGE) == []
