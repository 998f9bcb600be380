"""What the page asks about backups: which there are, what one holds, a download, a verification, what is to be done."""

import json
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import archives_shown, runs
from stash_portability.backup import backup
from stash_portability.backup_options import BackupOptions
from stash_portability.errors import UsageError
from stash_portability.libraries.archive import FORMAT, ArchiveSource
from stash_portability.means import Means
from stash_portability.model import Ambiguity, Change, Conflict, Plan, Waiting
from stash_portability.places import Places
from stash_portability.planfile import write_plan
from stash_portability.progress import Quiet
from stash_portability.reconcile.coding import EACH_ITSELF

from .test_operations import DEMO, ROOT, ask, call, do, error_of, folder_of, stash

__all__ = ["ask", "call", "do", "stash"]

FACTS = set("name bytes created source counts images verified container parent database whole damaged problem".split())


def place(stash):
    return Places(stash.folder / "portability").make().backups


def make(folder, day, container="zip", **more):
    """A backup of one day of May."""
    means = Means(now=lambda: datetime(2026, 5, day, tzinfo=timezone.utc))
    backup(BackupOptions("demo", folder, container=container, **more), Quiet(), means, ArchiveSource(DEMO))
    return max(path for path in folder.iterdir() if path.suffix not in (".json", ".sha256"))


@pytest.fixture
def backups(stash):
    """The folder with a backup of the first of May, as a zip, and one of the second, as a folder."""
    folder = place(stash)
    make(folder, 1)
    make(folder, 2, "folder")
    (folder / "notes.txt").write_text("mine")
    (folder / "empty").mkdir()
    with zipfile.ZipFile(folder / "pictures.zip", "w") as other:
        other.writestr("goose.png", b"no goose")
    return folder


# which there are


def test_archives_are_listed_the_newest_first_and_nothing_else(ask, backups):
    answer = ask("archives")
    assert (answer["ok"], answer["folder"], answer["left"]) == (True, str(backups), 0)
    rows = answer["archives"]
    assert [(row["name"], row["container"]) for row in rows] == [
        ("20260502T000000Z-stash", "folder"),
        ("20260501T000000Z-stash.zip", "zip"),
    ]
    for row in rows:
        assert set(row) == FACTS
        assert (row["counts"]["scene"], row["images"], set(row["verified"])) == (11, 8, {"L1", "L2"})
        assert (row["whole"], row["damaged"], row["parent"], row["database"], row["problem"]) == (
            True, False, None, False, "",
        )  # fmt: skip
    assert rows[1]["bytes"] == (backups / rows[1]["name"]).stat().st_size
    assert rows[1]["created"] == "2026-05-01T00:00:00Z"
    assert rows[1]["source"].startswith("archive")


def test_without_backups_there_are_none(ask, stash):
    assert ask("archives")["archives"] == []
    place(stash)
    assert ask("archives")["archives"] == []
    assert ask("overview")["backup"] is None


def test_an_archive_without_sidecars_is_opened(ask, backups):
    before = ask("archives")["archives"]
    for name in [*backups.glob("*.json"), *backups.glob("*.sha256")]:
        name.unlink()
    after = ask("archives")["archives"]
    assert [{**row, "bytes": 0, "verified": 0} for row in after] == [
        {**row, "bytes": 0, "verified": 0} for row in before
    ]


def test_a_sidecar_of_another_file_is_not_believed(ask, backups):
    path = backups / "20260501T000000Z-stash.zip.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "bytes": 1, "counts": {"scene": 99}}))
    assert ask("archives")["archives"][1]["counts"]["scene"] == 11


@pytest.mark.parametrize("told", [{"counts": [1]}, {"counts": {"scene": "<b>"}, "verified": 3}, {"source": ["x"]}])
def test_a_sidecar_of_anything_does_no_harm(ask, backups, told):
    path = backups / "20260501T000000Z-stash.zip.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **told}))
    assert set(ask("archives")["archives"][1]) == FACTS


def test_one_that_is_cut_off_is_told(ask, backups):
    path = backups / "20260501T000000Z-stash.zip"
    path.write_bytes(path.read_bytes()[:1000])
    row = ask("archives")["archives"][1]
    assert (row["name"], row["whole"], row["damaged"]) == (path.name, False, False)
    assert row["problem"]


def test_one_that_did_not_read_back_is_damaged(ask, backups):
    (backups / "20260503T000000Z-stash.zip.damaged").write_bytes(b"PK")
    row = ask("archives")["archives"][0]
    assert (row["whole"], row["damaged"]) == (False, True)
    assert "did not read back" in row["problem"]


def test_one_whose_parent_is_gone_is_not_whole(ask, backups):
    path = backups / "20260502T000000Z-stash.json"
    facts = json.loads(path.read_text("utf-8"))
    for parent, whole in (("20260501T000000Z-stash.zip", True), ("20260101T000000Z-stash.zip", False)):
        path.write_text(json.dumps({**facts, "parent": {"name": parent, "sha256": "0" * 64}}))
        row = ask("archives")["archives"][0]
        assert (row["parent"], row["whole"]) == (parent, whole)
        assert whole or parent in row["problem"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_is_no_archive(ask, backups, tmp_path):
    make(tmp_path / "elsewhere", 9)
    (backups / "20260509T000000Z-stash.zip").symlink_to(next((tmp_path / "elsewhere").glob("*.zip")))
    (backups / "20260508T000000Z-stash").symlink_to(DEMO)
    assert len(ask("archives")["archives"]) == 2
    assert error_of(ask("link", archive="20260509T000000Z-stash.zip"))["code"] == "UnknownName"


def test_archives_there_is_no_time_for_are_counted(backups):
    rows, left = archives_shown.shown(backups, lambda: False)
    assert ([row["name"] for row in rows], left) == (["20260502T000000Z-stash"], 1)


def test_archives_are_told_by_their_sidecars_without_any_library(backups):
    code = (
        f"import sys, json; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
        "from stash_portability.archives_shown import shown\n"
        f"print(json.dumps(shown(Path({str(backups)!r}), lambda: True)[0]))"
    )
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True).stdout
    rows = {row["name"]: row for row in json.loads(said)}
    known = [rows[name] for name in ("20260501T000000Z-stash.zip", "20260502T000000Z-stash")]
    assert [(row["whole"], row["counts"]["scene"]) for row in known] == [(True, 11), (True, 11)]
    assert "libraries" in rows["pictures.zip"]["problem"]  # nobody can say yet that it is none


def test_the_format_is_that_of_archives():
    assert archives_shown.FORMAT == FORMAT


# what one holds


@pytest.mark.parametrize("name", ["20260501T000000Z-stash.zip", "20260502T000000Z-stash"])
def test_what_an_archive_holds_and_how_it_can_be_restored(ask, backups, name):
    answer = ask("archive", name=name)
    assert answer["ok"], answer
    assert (answer["name"], answer["counts"]["scene"]) == (name, 11)
    assert answer["config"] == [record.uid for record in ArchiveSource(DEMO).read("config")]
    assert answer["modes"] == ["merge", "replace"]
    assert {"fill", "source", "target", "ask"} <= set(answer["strategies"])


@pytest.mark.parametrize(
    "name",
    ["", None, 5, ["x"], "..", ".", "../backups", "no.zip", "/etc/passwd", "notes.txt", "empty", "x\0y", "pictures.zip",
     "20260501T000000Z-stash.zip.json", "./20260501T000000Z-stash.zip", "20260502T000000Z-stash/manifest.json"],
)  # fmt: skip
def test_an_archive_is_named_by_its_file_name_only(ask, backups, name):
    for answer in (
        ask("archive", name=name),
        ask("link", archive=name),
        ask("start", task="verify", order={"archive": name or 0}),
    ):
        assert error_of(answer)["code"] in ("UsageError", "UnknownName")


def test_one_of_a_newer_version_is_told(ask, backups):
    manifest = backups / "20260502T000000Z-stash" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), "version": 99}))
    assert error_of(ask("archive", name="20260502T000000Z-stash"))["code"] == "UnsupportedVersion"


# a download


def test_an_archive_is_downloaded_as_it_is(ask, stash, backups):
    name = "20260501T000000Z-stash.zip"
    link = ask("link", archive=name)
    assert (link["name"], link["bytes"]) == (name, (backups / name).stat().st_size)
    assert (stash.plugin / link["path"]).read_bytes() == (backups / name).read_bytes()
    assert ask("link", archive=name)["path"] == link["path"]


def test_an_archive_that_is_a_folder_is_zipped(ask, stash, backups):
    first = ask("link", archive="20260501T000000Z-stash.zip")
    link = ask("link", archive="20260502T000000Z-stash")
    assert link["path"] != first["path"]
    assert link["name"] == "20260502T000000Z-stash.zip"
    with zipfile.ZipFile(stash.plugin / link["path"]) as archive:
        assert "20260502T000000Z-stash/manifest.json" in archive.namelist()


# a verification


def test_the_newest_backup_is_verified(ask, do, backups):
    path = backups / "20260501T000000Z-stash.zip.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "verified": {}}))
    started = ask("start", task="verify", order={"archive": "20260501T000000Z-stash.zip"})
    assert started["ok"], started
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["title"]) == ("finished", "Verify 20260501T000000Z-stash.zip")
    assert report["archive"] == "20260501T000000Z-stash.zip"
    assert report["report"]["counts"]["scene"] == 11
    assert set(ask("archives")["archives"][1]["verified"]) == {"L1", "L2"}
    started = ask("start", task="verify")
    do(started["job"])
    assert ask("run", run=started["run"])["run"]["archive"] == "20260502T000000Z-stash"


def test_one_that_is_made_while_the_task_waits_is_not_the_one_that_was_meant(ask, do, backups):
    started = ask("start", task="verify")
    make(backups, 7)
    do(started["job"])
    assert ask("run", run=started["run"])["run"]["archive"] == "20260502T000000Z-stash"


def test_the_task_of_stashs_own_list_verifies_the_newest(call, backups):
    answer = call(mode="verify")
    assert (answer["output"]["state"], answer["output"]["exit_code"]) == ("finished", 0)
    assert call.log.splitlines()[-1].endswith("20260502T000000Z-stash is whole")


def test_what_does_not_hold_is_a_failed_run(ask, do, backups):
    (part, *_) = sorted((backups / "20260502T000000Z-stash" / "records" / "scene").iterdir())
    part.write_bytes(part.read_bytes().replace(b"Tidal", b"Total"))
    started = ask("start", task="verify")
    do(started["job"])
    report = ask("run", run=started["run"])["run"]
    assert (report["state"], report["exit_code"], report["error"]["code"]) == ("failed", 4, "VerificationFailed")
    assert "records/scene" in report["error"]["message"]


def test_without_a_backup_there_is_one_line(ask, call, stash):
    assert "there is no backup" in error_of(ask("start", task="verify"))["message"]
    assert stash.jobs == {}
    answer = call(mode="verify")
    assert (answer["output"]["state"], answer["output"]["error"]["code"]) == ("failed", "UsageError")
    errors = [line for line in call.log.splitlines() if line.startswith("\x01e")]
    assert len(errors) == 1
    assert "Back up now" in errors[0]


def test_a_damaged_one_is_not_the_newest(stash):
    folder = place(stash)
    (folder / "20260503T000000Z-stash.zip.damaged").write_bytes(b"PK")
    with pytest.raises(UsageError, match="no backup"):
        archives_shown.newest(folder)


def test_an_order_of_other_words_is_refused(ask, backups):
    assert error_of(ask("start", task="verify", order={"archives": "x"}))["code"] == "UnknownName"
    assert error_of(ask("start", task="verify", order="x"))["code"] == "UsageError"


# what is to be done


def test_the_overview_tells_the_newest_backup_what_goes_on_and_the_last_runs(ask, do, backups):
    answer = ask("overview")
    assert answer["backup"]["name"] == "20260502T000000Z-stash"
    assert (answer["going"], answer["decisions"], answer["runs"]) == (None, [], [])
    done = [ask("start", order={"kinds": "tag"}) for _ in range(4)]
    for one in done[:3]:
        do(one["job"])
    answer = ask("overview")
    assert answer["going"] == {"run": done[3]["run"], "kind": "export", "state": "queued"}
    assert [run["run"] for run in answer["runs"]] == [one["run"] for one in reversed(done[1:])]


def test_the_last_backup_is_one_that_can_be_read(ask, backups):
    (backups / "20260503T000000Z-stash.zip").write_bytes(b"PK half of it")
    (backups / "20260504T000000Z-stash.zip.damaged").write_bytes(b"PK")
    answer = ask("overview")
    assert (answer["backup"]["name"], answer["unreadable"]["name"]) == (
        "20260502T000000Z-stash", "20260504T000000Z-stash.zip.damaged",
    )  # fmt: skip
    assert "did not read back" in answer["unreadable"]["problem"]
    (backups / "20260504T000000Z-stash.zip.damaged").unlink()
    assert ask("overview")["unreadable"]["name"] == "20260503T000000Z-stash.zip"
    (backups / "20260503T000000Z-stash.zip").unlink()
    assert ask("overview")["unreadable"] is None


def test_where_no_backup_can_be_read_there_is_none(ask, stash):
    (place(stash) / "20260503T000000Z-stash.zip").write_bytes(b"PK half of it")
    answer = ask("overview")
    assert (answer["backup"], answer["unreadable"]["name"]) == (None, "20260503T000000Z-stash.zip")


def previewed(stash, token=b"abcd", **report):
    now = datetime.now(timezone.utc)
    with runs.begin(folder_of(stash), "restore", now, token) as run:
        run.write("finished", exit_code=0, report=report)
    (run.folder / "plan.jsonl").touch()
    return run.name


def test_the_overview_tells_what_waits_for_a_decision(ask, stash):
    place(stash)
    name = previewed(
        stash,
        brakes=[{"name": "many-deletes", "why": "it would delete 9 of 10 tag"}],
        decisions={"conflicts": 3, "ambiguities": 2, "waiting": 0, "moved": 0, "failed": 0},
    )
    previewed(stash, b"efgh", brakes=[], decisions={"conflicts": 0, "ambiguities": 0, "waiting": 0})
    previewed(stash, b"ijkl")
    expected = {"run": name, "brakes": ["many-deletes"], "conflicts": 3, "ambiguities": 2, "waiting": 0}
    assert ask("overview")["decisions"] == [expected]
    (folder_of(stash) / name / "applied.json").write_text('{"by": "20260501T120000.000Z-apply-01020304"}')
    assert ask("overview")["decisions"] == []


# a plan, page by page


class Called:
    """What the records of the plan are called."""

    def target(self, kind, uid):
        return f"{kind} {uid} over there"

    def source(self, kind, uid):
        return f"{kind} {uid} of the archive"


@pytest.fixture
def planned(stash):
    """A preview with changes, conflicts, an ambiguity, and a scene that waits."""
    place(stash)
    name = previewed(stash)
    changes = [Change("update", "tag", str(uid), {"name": "geese"}, {"name": "Geese"}) for uid in range(1, 8)]
    changes.append(Change("create", "studio", "new:studio:1", None, {"name": "Marsh Films", "tags": ["3"]}))
    conflicts = [Conflict("tag", "5", "name", None, "Geese", "geese", "source")]
    plan = Plan(
        changes, conflicts, [Ambiguity("tag", "9", ("1", "2"), "two are called so")],
        [Waiting("scene", "4", "its file is not there")], {"tag update": 7, "studio create": 1},
    )  # fmt: skip
    header = {"what": "restore merge", "counts": dict(plan.counts), "brakes": [], "not_restored": {}}
    write_plan(folder_of(stash) / name, plan, header, (Called(), EACH_ITSELF))
    return name


def test_a_plan_is_read_page_by_page(ask, planned):
    rows, cursor, pages = [], 0, 0
    while cursor is not None:
        answer = ask("plan", run=planned, cursor=cursor, most=3)
        assert answer["ok"], answer
        assert answer["header"]["counts"] == {"tag update": 7, "studio create": 1}
        rows, cursor, pages = rows + answer["rows"], answer["cursor"], pages + 1
    assert ([row["uid"] for row in rows], pages) == ([*"1234567", "new:studio:1"], 3)
    assert rows[0]["fields"] == [{"name": "name", "before": "geese", "after": "Geese"}]
    assert rows[0]["label"] == "tag 1 over there"
    assert rows[-1]["fields"][-1] == {"name": "tags", "added": ["tag 3 over there"], "removed": []}


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [({"kind": "studio"}, ["new:studio:1"]), ({"op": "create"}, ["new:studio:1"]),
     ({"field": "tags"}, ["new:studio:1"]), ({"kind": "tag", "op": "create"}, []),
     ({"kind": "tag", "field": "name", "cursor": 0.0}, [*"1234567"])],
)  # fmt: skip
def test_only_what_is_wanted_of_a_plan_is_given(ask, planned, wanted, uids):
    answer = ask("plan", run=planned, **wanted)
    assert ([row["uid"] for row in answer["rows"]], answer["cursor"]) == (uids, None)


def test_what_waits_for_a_person_is_read_too(ask, planned):
    (conflict,) = ask("plan", run=planned, what="conflicts")["rows"]
    assert (conflict["source"], conflict["target"], conflict["chosen"]) == ("Geese", "geese", "source")
    (ambiguity,) = ask("plan", run=planned, what="ambiguities")["rows"]
    assert ambiguity["candidates"] == ["tag 1 over there (1)", "tag 2 over there (2)"]
    (waiting,) = ask("plan", run=planned, what="waiting")["rows"]
    assert (waiting["label"], waiting["why"]) == ("scene 4 of the archive", "its file is not there")


@pytest.mark.parametrize(
    "told",
    [{"run": "../x"}, {"run": None}, {"what": "secrets"}, {"what": ["changes"]}, {"kind": 5}, {"cursor": -1},
     {"cursor": 1.5}, {"cursor": True}, {"cursor": "0"}, {"cursor": 7}, {"most": "many"}],
)  # fmt: skip
def test_a_page_that_cannot_be_is_refused(ask, planned, told):
    assert error_of(ask("plan", **{"run": planned, **told}))["code"] in ("UsageError", "UnknownName")


def test_a_run_without_a_plan_has_none(ask, do, stash):
    started = ask("start", order={"kinds": "tag"})
    assert "has no plan" in error_of(ask("plan", run=started["run"]))["message"]
    place(stash)
    assert error_of(ask("plan", run=previewed(stash)))["code"] == "Unreadable"


def test_a_backup_of_a_folder_that_cannot_be_listed_is_told(ask, stash):
    folder = place(stash)
    shutil.rmtree(folder)
    Path(folder).write_text("no folder")
    assert error_of(ask("archives"))["code"] == "UsageError"
