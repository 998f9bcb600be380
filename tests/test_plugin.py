"""The plugin's side of Stash's protocol, with the demo library in the place of a Stash."""

import io
import json
import logging
from datetime import datetime, timezone
from pathlib import Path

import pytest

from stash_portability import __version__, commands, dependencies, media, orders, plugin, runs
from stash_portability.call import Call, read_call, read_settings
from stash_portability.config import export_options
from stash_portability.desk import Desk
from stash_portability.errors import BadFilter, OutsideRoots, StashSaidNo, UnknownName, Unreachable, UsageError
from stash_portability.libraries.archive import ArchiveSource
from stash_portability.places import Places
from stash_portability.plugin import Task
from stash_portability.stashlog import MOST_BYTES, Handler, StashLog, StashProgress

from .calling_stash import COOKIE, listening, serving

DEMO = Path(__file__).parent.parent / "examples" / "demo"
NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)


class Stash:
    """What a plugin sees of a Stash before it exports: an address that answers the question for its settings."""

    def __init__(self, folder):
        self.folder, self.settings, self.status, self.asked = folder, {}, 200, []
        self.answer = None
        self.plugin = folder / "plugins" / "ours"
        self.plugin.mkdir(parents=True)
        (self.plugin / "our-name.yml").touch()

    def reply(self, cookie, body):
        self.asked.append((cookie, body))
        return self.status, self.answer or {"data": {"configuration": {"plugins": {"our-name": self.settings}}}}


@pytest.fixture
def stash(tmp_path):
    with listening(Stash(tmp_path / "stash")) as stub:
        yield stub


@pytest.fixture
def call(stash, monkeypatch):
    """Serve one call as Stash makes it; give its answer and its log as (level, line) pairs."""
    monkeypatch.setattr(commands, "own_library", lambda *_: ArchiveSource(DEMO))
    with serving(stash, monkeypatch) as serve:

        def told(**arguments):
            answer, log = serve(**arguments)
            return answer, lines(log)

        yield told


def lines(log):
    found = [line.split(b"\x02", 1) for line in log.splitlines()]
    assert all(len(pair) == 2 and pair[0].startswith(b"\x01") for pair in found)
    return [(pair[0][1:].decode(), pair[1].decode()) for pair in found]


def desk_of(tmp_path, arguments=None, settings=None, server=None):
    call = Call({"mode": "export", **(arguments or {})}, server or {})
    places = Places(tmp_path / "data").make()
    return Desk(call, places, settings or {}, {}, StashLog(io.BytesIO()), now=lambda: NOON)


def test_the_whole_library_is_exported_and_the_last_log_line_names_the_file(call, stash):
    answer, log = call(mode="export")
    (path,) = (stash.folder / "portability" / "exports").iterdir()
    assert path.name.endswith("-library.json")
    assert [line for level, line in log if level == "i"][-1] == f"wrote {path}"
    assert log[0] == ("i", f"Stash Portability {__version__}: Export library")
    assert any(line.startswith("scenes: 11 in ") for level, line in log)
    assert ("p", "1.0000") in log
    assert answer["output"]["state"] == "finished"
    assert len(json.loads(path.read_text("utf-8"))["scenes"]) == 11


def test_the_outcome_is_kept_in_a_run_folder(call, stash):
    answer, _ = call(mode="export")
    report = runs.read(stash.folder / "portability" / "runs", answer["output"]["run"])
    assert (report["kind"], report["state"], report["exit_code"]) == ("export", "finished", 0)
    assert report["report"]["counts"]["scene"] == 11
    assert report["report"]["outputs"][0].endswith("-library.json")


def test_settings_count_and_arguments_count_more(call, stash):
    stash.settings = {"format": "csv", "privacy": "share", "kinds": "tag", "dataFolder": str(stash.folder / "mine")}
    call(mode="export")
    (folder,) = (stash.folder / "mine" / "exports").iterdir()
    assert len((folder / "tags.csv").read_text("utf-8").splitlines()) > 12
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["privacy"] == "share"
    call(mode="export", to="scenes.jsonl", kinds=["scene"], closure="none")
    assert (stash.folder / "mine" / "exports" / "scenes.jsonl").is_file()


def test_a_failed_export_is_one_error_line_and_a_run_that_says_so(call, stash):
    answer, log = call(mode="export", kinds="scenery")
    errors = [line for level, line in log if level == "e"]
    assert len(errors) == 1
    assert "scenery" in errors[0]
    report = runs.read(stash.folder / "portability" / "runs", answer["output"]["run"])
    assert report["state"] == "failed"
    assert report["exit_code"] == 2
    assert report["error"] == {"code": "UnknownName", "message": errors[0]}
    assert list((stash.folder / "portability" / "exports").iterdir()) == []


@pytest.mark.parametrize("to", ["/somewhere/else.csv", "../roots.json", "../../config.yml"])
def test_a_task_cannot_write_outside_its_folders(call, stash, to):
    answer, log = call(mode="export", to=to)
    assert answer["output"]["error"]["code"] == "OutsideRoots"
    assert log[-1][0] == "e"


def test_a_bug_of_ours_is_one_line_and_its_traceback_is_for_debug(call, stash, monkeypatch):
    def fail(*_):
        raise KeyError("nobody\nthought of this")

    monkeypatch.setattr(commands, "own_library", fail)
    answer, log = call(mode="export")
    (error,) = [line for level, line in log if level == "e"]
    assert error.startswith("a bug of ours (test_plugin.py:")
    assert "report it" in error
    assert any("Traceback" in line for level, line in log if level == "d")
    assert not any("Traceback" in line for level, line in log if level != "d")
    assert answer["output"]["exit_code"] == 70


def test_status_tells_where_things_are_and_what_was_done(call, stash):
    call(mode="export", to="x.json")
    answer, log = call(mode="status")
    status = answer["output"]
    assert status["ok"]
    assert status["version"] == __version__
    assert status["data"] == str(stash.folder / "portability")
    assert set(status["sets"]) == set(dependencies.SETS)
    assert [run["state"] for run in status["runs"]] == ["finished"]
    assert log == []


def test_a_status_makes_no_folder(call, stash):
    call(mode="status")
    assert not (stash.folder / "portability").exists()


def test_fields_gives_every_kind(call):
    answer, _ = call(mode="fields")
    kinds = {kind["name"]: kind for kind in answer["output"]["kinds"]}
    assert {"scene", "tag", "config"} <= set(kinds)
    files = next(field for field in kinds["scene"]["fields"] if field["name"] == "files")
    assert any(part["name"] == "fingerprints" and part["parts"] for part in files["parts"])
    assert answer["output"]["levels"]["full"]


def test_an_unknown_mode_is_an_error_with_the_near_name(call):
    answer, log = call(mode="exprt")
    assert answer["error"] == "there is no mode named 'exprt'; did you mean 'export'?"
    assert log == [("e", answer["error"])]


def test_our_id_is_the_name_of_the_manifest(stash):
    call = Call({}, stash.server)
    assert call.plugin_id == "our-name"
    stash.settings = {"format": " csv ", "kinds": ""}
    assert read_settings(call) == {"format": "csv"}
    cookie, body = stash.asked[-1]
    assert cookie == f"session={COOKIE}"
    assert body["variables"] == {"id": ["our-name"]}


def test_a_stash_that_does_not_answer_well_is_told(call, stash):
    stash.status = 401
    answer, _ = call(mode="status")
    assert "error" not in answer
    assert not answer["output"]["ok"]
    assert answer["output"]["error"]["code"] == "Unreachable"
    assert "status 401" in answer["output"]["error"]["message"]
    stash.status, stash.answer = 200, {"errors": [{"message": "no such thing"}]}
    with pytest.raises(StashSaidNo, match="no such thing"):
        read_settings(Call({}, stash.server))
    with pytest.raises(Unreachable):
        read_settings(Call({}, {**stash.server, "Port": 1}))
    stash.answer = ["no", "mapping"]
    with pytest.raises(Unreachable):
        read_settings(Call({}, stash.server))


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"args": 5, "server_connection": {}}', b'{"args": {}}'])
def test_what_is_no_call_is_a_usage_error(text):
    with pytest.raises(UsageError, match="started by Stash"):
        read_call(text)


def test_a_cookie_shows_in_no_representation(stash):
    assert COOKIE not in repr(Call({}, stash.server))


def test_a_task_takes_no_source_key_or_unknown_argument(tmp_path):
    for key in ("from", "api_key_file", "api_key", "too"):
        with pytest.raises(UnknownName):
            orders.export_arguments(desk_of(tmp_path, {key: "x"}))


def test_a_task_reads_no_file_it_may_not(tmp_path):
    with pytest.raises(UsageError, match="not the name of a file"):
        orders.export_arguments(desk_of(tmp_path, {"filter": "@/etc/passwd"}))
    with pytest.raises(OutsideRoots):
        orders.export_arguments(desk_of(tmp_path, {"profile": "/etc/passwd"}))
    desk = desk_of(tmp_path, {"profile": "mine.yaml"})
    assert orders.export_arguments(desk)["profile"] == str(desk.places.profiles.resolve() / "mine.yaml")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({}, "20260501T120000Z-library.json"),
        ({"format": "xml"}, "20260501T120000Z-library.xml"),
        ({"format": "tsv"}, "20260501T120000Z-library"),
        ({"format": "json", "blobs": True}, "20260501T120000Z-library"),
        ({"to": "scenes.csv"}, "scenes.csv"),
    ],
)
def test_an_output_is_named_by_time_and_format(tmp_path, arguments, name):
    desk = desk_of(tmp_path, arguments, {"privacy": "share"})
    options = export_options(orders.export_arguments(desk), {}, orders.standing(desk))
    assert (options.to.name, options.to.parent.name) == (name, "exports")
    assert options.privacy == "share"


def test_a_profile_and_the_arguments_come_before_the_settings(tmp_path):
    profile = {"privacy": "share", "kinds": {"scene": None}}
    desk = desk_of(tmp_path, {"profile": profile, "format": ""}, {"privacy": "full", "format": "xml"})
    options = export_options(orders.export_arguments(desk), {}, orders.standing(desk))
    assert (options.privacy, options.form) == ("share", "xml")


def test_a_task_replaces_only_what_lies_in_the_data_folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    desk = desk_of(tmp_path, {"to": str(root / "a.zip"), "overwrite": "true"})
    desk.places.make()
    (desk.places.data / "roots.json").write_text(json.dumps({"version": 1, "roots": [str(root)]}))
    with pytest.raises(UsageError, match="replaces only"):
        orders.export_arguments(desk)


def test_whatever_goes_wrong_before_a_task_stash_gets_its_answer(monkeypatch):
    def broken(*_):
        raise OSError("no such device")

    monkeypatch.setattr(plugin, "_serve", broken)
    answer, log = io.BytesIO(), io.BytesIO()
    given = json.dumps({"server_connection": {}, "args": {"mode": "export"}}).encode()
    assert plugin.main(plugin.Streams(given, answer, log), [], {}) == 70
    assert "a bug of ours" in json.loads(answer.getvalue())["error"]


def test_a_format_of_the_settings_is_not_forced_on_a_path(tmp_path):
    arguments = orders.export_arguments(desk_of(tmp_path, {"to": "scenes.csv"}, {"format": "json"}))
    assert "format" not in arguments


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        ({"to": "x.json"}, False),
        ({"to": "x.yaml"}, True),
        ({"to": "x", "format": "yaml"}, True),
        ({"to": "x", "profile": "p.yaml"}, True),
        ({"to": "x", "profile": "p.json"}, False),
        ({"to": "x", "profile": {"kinds": {}}}, False),
    ],
)
def test_yaml_is_only_needed_where_it_is(tmp_path, arguments, needs):
    desk = desk_of(tmp_path, arguments)
    for name in ("p.yaml", "p.json"):
        (desk.places.profiles / name).write_text("{}")
    first = orders.sets_to_check(orders.export_arguments(desk))
    assert ("yaml" in [*first, *orders.sets_to_do(orders.export_order(desk)[1])]) is needs


def test_a_task_that_raises_what_it_may_leaves_no_traceback(tmp_path):
    def fail(_):
        raise BadFilter("it is not JSON")

    outcome = plugin.perform(Task("Fail", fail), desk_of(tmp_path))
    assert outcome["error"]["message"] == "the filter cannot be used: it is not JSON"
    assert outcome["state"] == "failed"


def test_a_log_line_is_never_as_long_as_stash_can_bear():
    stream = io.BytesIO()
    StashLog(stream).say("info", "ä" * 200_000)
    (line,) = stream.getvalue().splitlines()
    assert MOST_BYTES < len(line) < 64_000
    line.decode("utf-8")


def test_every_line_of_a_message_is_framed_and_secrets_are_blotted_out():
    stream = io.BytesIO()
    log = StashLog(stream, ["hush-hush"])
    log.hide("other-secret")
    log.say("warning", "one\ntwo hush-hush\r\nthree other-secret\x01e\x02")
    assert lines(stream.getvalue()) == [("w", "one"), ("w", "two ***"), ("w", "three *** e ")]


def test_a_log_nobody_reads_stops_nothing():
    class Gone(io.RawIOBase):
        def write(self, _):
            raise BrokenPipeError

    StashLog(Gone()).say("info", "anybody?")
    StashLog(Gone()).progress(0.5)


def test_python_logging_goes_to_stash():
    stream = io.BytesIO()
    logger = logging.Logger("test")
    logger.addHandler(Handler(StashLog(stream)))
    logger.debug("a"), logger.info("b"), logger.warning("c %s", 1), logger.error("d")
    try:
        int("why")
    except ValueError:
        logger.exception("e")
    found = lines(stream.getvalue())
    assert found[:5] == [("d", "a"), ("i", "b"), ("w", "c 1"), ("e", "d"), ("e", "e")]
    assert {level for level, _ in found[5:]} == {"d"}
    assert found[-1][1].startswith("ValueError: ")


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_progress_is_of_the_whole_and_never_goes_back():
    stream, clock = io.BytesIO(), Clock()
    progress = StashProgress(StashLog(stream), clock, {"scenes": 300, "tags": 100, "empty": 0})
    progress.phase("scenes", 300)
    for _ in range(3):
        clock.now += 1
        progress.advance(100)
    progress.phase("unforeseen", None)
    clock.now += 1
    progress.advance(5)
    progress.phase("empty", 0)
    progress.phase("tags", 100)
    progress.advance(100)
    progress.close()
    progress.close()
    shown = [float(text) for level, text in lines(stream.getvalue()) if level == "p"]
    assert shown == sorted(shown)
    assert shown[:3] == [0.25, 0.5, 0.75]
    assert shown[-1] == 1
    said = [text for level, text in lines(stream.getvalue()) if level == "i"]
    assert said == ["scenes: 300 in 3.0 s", "unforeseen: 5 in 1.0 s", "tags: 100 in 0.0 s"]


def test_progress_is_shown_a_few_times_a_second():
    stream, clock = io.BytesIO(), Clock()
    progress = StashProgress(StashLog(stream), clock, {"scenes": 1000})
    progress.phase("scenes", 1000)
    for _ in range(1000):
        clock.now += 0.01
        progress.advance(1)
    assert len(stream.getvalue().splitlines()) <= 41


def test_a_filtered_export_counts_its_phases_alike():
    counts = {"scene": 1000, "tag": 10, "config": None}
    assert orders.shares(counts, {}) == {"scenes": 1000.0, "tags": 10.0, "config": 0.0}
    assert orders.shares(counts, {"ids": ["1"]}) == {"scenes": 1.0, "tags": 1.0, "config": 1.0}


def test_a_task_of_nfo_files_shows_how_far_the_whole_is(call, stash):
    answer, log = call(mode="export", format="nfo")
    assert answer["output"]["state"] == "finished"
    assert [line for level, line in log if level == "i"][-1].startswith("wrote ")
    assert set(orders.SHARES_OF_MEDIA) == set(media.PHASES)
    shown = [float(text) for level, text in log if level == "p"]
    assert shown == sorted(shown)
    assert shown[-1] == 1


def test_a_task_provides_what_its_order_needs(call, stash, monkeypatch):
    asked = []
    provide = Desk.provide
    monkeypatch.setattr(Desk, "provide", lambda desk, names: (asked.append(names), provide(desk, names)))
    template = {"record": "{{ label }}", "ending": "txt"}
    for arguments in ({"format": "nfo"}, {"template": template}, {"kinds": "tag"}):
        call(mode="export", **arguments)
    assert asked == [["core"], ["core", "xml"], ["core"], ["core", "templates"], ["core"], ["core"]]
