"""Orders of NFO files and by templates: what may be said, and where they may be read and written."""

import io
import json
from datetime import datetime, timezone

import pytest

from stash_portability import mediafolders, orders
from stash_portability.call import Call
from stash_portability.desk import Desk
from stash_portability.errors import (
    BadTemplate,
    LibrariesMissing,
    OutputNotUsable,
    OutsideRoots,
    PortabilityError,
    UnknownName,
    Unreachable,
    UsageError,
)
from stash_portability.places import Places
from stash_portability.stashlog import StashLog
from stash_portability.transform.rewrite import rewrite

from .calling_stash import listening

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=timezone.utc)
TEMPLATE = {"record": "{{ title }}\n", "ending": "html"}
CSV = {"record": "{{ title }}\n", "ending": "csv"}


class Stash:
    """A Stash that tells of its libraries."""

    def __init__(self, folder):
        self.folder, self.plugin, self.asked = folder, folder / "plugins" / "ours", 0
        (self.plugin / "profiles").mkdir(parents=True)
        (self.plugin / "templates").mkdir()
        self.films = folder / "films"
        self.films.mkdir()
        self.libraries = [{"path": str(self.films)}, {"path": "relative"}]

    def reply(self, _, body):
        self.asked += 1
        if "stashes" not in body["query"] or self.libraries is None:
            return 200, {"data": {"configuration": {}}}
        return 200, {"data": {"configuration": {"general": {"stashes": self.libraries}}}}


@pytest.fixture
def stash(tmp_path):
    with listening(Stash(tmp_path / "stash")) as stub:
        yield stub


@pytest.fixture
def desk(stash):
    """The desk of an order with the arguments that are said."""
    places = Places(stash.folder / "portability").make()

    def make(settings=None, download=True, **arguments):
        call = Call(arguments, stash.server)
        log = StashLog(io.BytesIO())
        return Desk(call, places, settings or {}, {}, log, now=lambda: NOON, download=download)

    return make


@pytest.fixture
def order(desk):
    def check(settings=None, download=True, **arguments):
        return orders.export_order(desk(settings, download, **arguments))[1]

    return check


def allow(stash, *roots):
    path = stash.folder / "portability" / "roots.json"
    path.write_text(json.dumps({"version": 1, "roots": [str(root) for root in roots]}))


# where NFO files go


@pytest.mark.parametrize("download", [True, False])
def test_nfo_files_go_to_the_same_folder_each_time(order, stash, download):
    usual = stash.folder / "portability" / "exports" / "media-server"
    for _ in range(2):
        options = order(download=download, format="nfo")
        assert (options.to, options.shape, options.form) == (usual, "folder", "nfo")
        assert set(options.nfo.allowed) == {usual, usual.resolve()}
        usual.mkdir(exist_ok=True)


@pytest.mark.parametrize("to", ["mine", "../backups/mine", "films", "films/deep", "root", "root/deep"])
def test_nfo_files_go_under_the_data_folder_libraries_and_roots(order, stash, to):
    root = stash.folder / "root"
    root.mkdir()
    allow(stash, root)
    path = str(stash.folder / to) if to[0] in "fr" else to
    options = order(format="nfo", to=path)
    assert options.to == (stash.folder / "portability" / "exports" / path).resolve()
    assert options.nfo.allowed == (options.to,)


@pytest.mark.parametrize("to", ["/etc/nfo", "../runs/x", "../templates/x", "../roots.json", "../", ".", "../backups"])
def test_nfo_files_go_nowhere_else(order, to):
    with pytest.raises(OutsideRoots):
        order(format="nfo", to=to)


def test_a_library_around_the_data_folder_does_not_open_it(order, stash):
    stash.libraries = [{"path": str(stash.folder)}]
    assert order(format="nfo", to=str(stash.folder / "new")).to == (stash.folder / "new").resolve()
    for part in ("", "runs/x", "templates", "deps/x"):
        with pytest.raises(OutsideRoots):
            order(format="nfo", to=str(stash.folder / "portability" / part))


def test_a_link_in_a_library_that_leads_elsewhere_is_no_way_out(order, stash, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (stash.films / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutsideRoots):
        order(format="nfo", to=str(stash.films / "link" / "x"))


@pytest.mark.parametrize(
    "said", [{"format": "csv"}, {"template": TEMPLATE}, {"format": "json", "beside_media": "false"}]
)
def test_only_nfo_files_go_into_libraries(order, stash, said):
    with pytest.raises(OutsideRoots):
        order(to=str(stash.films / "x"), **said)


@pytest.mark.parametrize("form", ["nfo", "csv"])
def test_a_profile_that_says_what_is_written_opens_the_libraries_to_nfo_files_only(order, stash, form):
    arguments = {"profile": {"format": form}, "to": str(stash.films / "x")}
    if form == "nfo":
        assert order(**arguments).to == (stash.films / "x").resolve()
    else:
        with pytest.raises(OutsideRoots):
            order(**arguments)


@pytest.mark.parametrize("said", [{"format": "nfo"}, {"profile": {"format": "nfo"}}, {}])
def test_beside_the_media_is_under_libraries_and_roots(order, stash, said):
    allow(stash, stash.folder / "root")
    options = order(beside_media=True, **said)
    assert options.nfo.beside
    assert set(options.nfo.allowed) == {
        stash.films,
        stash.films.resolve(),
        stash.folder / "root",
        (stash.folder / "root").resolve(),
    }


def test_beside_the_media_of_a_link_is_there_and_where_it_leads(order, stash, tmp_path):
    (tmp_path / "disk").mkdir()
    link = stash.folder / "films on a disk"
    link.symlink_to(tmp_path / "disk")
    stash.libraries = [{"path": str(link)}]
    assert order(format="nfo", beside_media=True).nfo.allowed == (link, (tmp_path / "disk").resolve())


def test_without_libraries_and_roots_there_is_nothing_to_write_beside(order, stash):
    stash.libraries = []
    with pytest.raises(UsageError, match="no library"):
        order(format="nfo", beside_media=True)
    stash.libraries = None
    with pytest.raises(Unreachable):
        order(format="nfo", beside_media=True)


def test_a_wrong_list_of_roots_allows_nothing(order, stash):
    (stash.folder / "portability" / "roots.json").write_text('{"roots": ["relative"]}')
    with pytest.raises(PortabilityError, match=r"roots\.json"):
        order(format="nfo", beside_media=True)
    assert order(format="nfo").nfo


@pytest.mark.parametrize("said", [{"allowed": ["/"]}, {"profile": {"format": "nfo", "allowed": ["/"]}}])
def test_nobody_can_say_what_is_allowed(order, stash, said):
    with pytest.raises(UnknownName):
        order(**{"format": "nfo", "beside_media": True, **said})


def test_stash_is_asked_for_its_libraries_only_when_it_matters(order, stash):
    order(format="nfo")
    order(format="nfo", to="mine")
    order(kinds="tag")
    order(template=TEMPLATE)
    assert stash.asked == 0


def test_nfo_files_take_no_kinds_from_the_settings(order):
    for said in ({"format": "nfo"}, {"beside_media": "true"}):
        assert order({"kinds": "tag", "format": "csv"}, **said).kinds == ("scene",)
    assert order({"format": "nfo"}).form == "nfo"


def test_started_by_hand_there_are_no_libraries(desk):
    one = desk()
    assert mediafolders.libraries(Desk(Call({}), one.places, {}, {}, one.log)) == ()


# what is said of NFO files


def test_what_is_said_reaches_the_export(order):
    options = order(
        format="nfo", nfo_profile="jellyfin", artwork="true", path=["/films=/media", "/b=c"], foreign_nfo="merge",
        movie_nfo=True, nfo_genres="Habitat", remove_deleted=True, ids=["1"],
    )  # fmt: skip
    chosen = options.nfo
    assert (chosen.profile, chosen.foreign, chosen.genres) == ("jellyfin", "merge", "Habitat")
    assert chosen.artwork and chosen.movie_nfo and chosen.remove_deleted
    assert rewrite("/films/a.mp4", options.rules) == "/media/a.mp4"
    assert (options.kinds, options.closure, options.blobs) == (("scene",), "none", True)


def test_all_mistakes_are_told_at_once(order):
    with pytest.raises(UsageError) as told:
        order(format="nfo", to="/etc/x", nfo_profile="kody", template="nope", kinds="tag", path="x")
    for word in ("/etc/x", "kodi", "nope", "scenes only"):
        assert word in str(told.value), word


# templates


@pytest.fixture
def kept(stash):
    """Templates: our own, and those shipped."""
    own = stash.folder / "portability" / "templates"
    (own / "mine.json").write_text(json.dumps({**TEMPLATE, "name": "My page"}))
    (own / "both.json").write_text(json.dumps({**TEMPLATE, "name": "Our own"}))
    shipped = stash.plugin / "templates"
    (shipped / "both.yaml").write_text("record: shipped\nending: txt\n")
    (shipped / "shipped.yaml").write_text('name: Shipped\nrecord: "{{ title }}"\nending: m3u\n')
    return own


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("mine", "My page"),
        ("mine.json", "My page"),
        ("both", "Our own"),
        ("shipped", "Shipped"),
        ("shipped.yaml", "Shipped"),
    ],
)
def test_a_template_is_found_by_its_name(order, kept, name, title):
    options = order(template=name)
    assert (options.template.name, options.form) == (title, "template")


def test_an_unknown_template_is_told_with_the_near_one(order, kept):
    with pytest.raises(UnknownName, match="'shipped'"):
        order(template="shiped")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../roots.json", "../templates/mine.json", "./mine", "mine\0", "", "@mine"]
)
def test_a_template_is_no_path(order, kept, name):
    with pytest.raises(UsageError):
        order(format="template", template=name)


def test_a_template_of_ours_that_leads_elsewhere_is_not_read(order, kept, stash):
    (stash.folder / "secret.json").write_text(json.dumps(TEMPLATE))
    (kept / "far.json").symlink_to(stash.folder / "secret.json")
    with pytest.raises(OutsideRoots):
        order(template="far")


@pytest.mark.parametrize("profile", [{"template": "/etc/passwd"}, {"template": TEMPLATE}])
def test_a_profile_names_no_template(order, profile):
    with pytest.raises(UsageError, match="no profile key named 'template'"):
        order(profile=profile, format="template")


def test_no_export_writes_a_template(order):
    for said in ({"template": {**TEMPLATE, "ending": "json"}}, {"format": "json"}, {"format": "nfo"}):
        with pytest.raises(OutsideRoots):
            order(to="../templates/x.json", **said)


@pytest.mark.parametrize(
    "template", [{}, {"record": 5}, {**TEMPLATE, "code": "x"}, {**TEMPLATE, "record": "x" * 70_000}]
)
def test_a_template_that_is_none_is_told(order, template):
    with pytest.raises(UsageError):
        order(template=template, format="template")
    with pytest.raises(BadTemplate):
        order(template={"record": 5}, format="template")


@pytest.mark.parametrize(
    ("template", "more", "name", "shape"),
    [
        (TEMPLATE, {}, "20260501T120000Z-scenes.zip", "zip"),
        (CSV, {}, "20260501T120000Z-scenes.zip", "zip"),
        (CSV, {"kinds": "tag"}, "20260501T120000Z-tags.zip", "zip"),
        ({**CSV, "kinds": ["performer"], "images": True}, {}, "20260501T120000Z-performers.zip", "zip"),
        ({**TEMPLATE, "one_file": "record"}, {}, "20260501T120000Z-scenes.zip", "zip"),
        (TEMPLATE, {"to": "mine.html"}, "mine.html", "file"),
        (CSV, {"to": "mine.csv"}, "mine.csv", "file"),
        (TEMPLATE, {"to": "mine"}, "mine", "folder"),
    ],
)
def test_what_a_template_makes_for_the_page_is_zipped_whatever_it_is(order, template, more, name, shape):
    for settings in ({}, {"format": "csv", "kinds": "gallery,tag"}):
        options = order(settings, template=template, **more)
        assert (options.to.name, options.shape) == (name, shape)


def test_a_task_of_a_template_needs_no_zip(order, stash):
    options = order(download=False, template=TEMPLATE)
    assert options.to == stash.folder / "portability" / "exports" / "20260501T120000Z-library.html"


# what an order needs, and is called


@pytest.mark.parametrize(
    ("said", "first", "then"),
    [
        ({"format": "nfo"}, [], ["core", "xml"]),
        ({"template": TEMPLATE}, [], ["core", "templates"]),
        ({"template": "mine"}, [], ["core", "templates"]),
        ({"template": "shipped"}, ["yaml"], ["core", "templates"]),
        ({"profile": {"format": "nfo"}}, [], ["core", "xml"]),
        ({"to": "x.yaml", "kinds": "tag"}, [], ["core", "yaml"]),
        ({"kinds": "tag"}, [], ["core"]),
    ],
)
def test_an_order_needs_only_what_it_uses(desk, kept, said, first, then):
    one = desk(**said)
    assert orders.sets_to_check(orders.export_arguments(one)) == first
    assert orders.sets_to_do(orders.export_order(one)[1]) == then


def test_without_yaml_a_template_in_json_still_does(order, kept, monkeypatch):
    monkeypatch.setattr("stash_portability.dependencies.Shelf.state", lambda *_: "missing")
    assert order(template="mine").template
    with pytest.raises(LibrariesMissing):
        order(template="shipped")


def test_an_order_has_a_title_for_people(order):
    assert orders.title(order(format="nfo")) == "Export scenes for Kodi"
    assert orders.title(order(format="nfo", nfo_profile="emby", beside_media=True)) == "Export scenes for Emby"
    assert orders.title(order(template={**TEMPLATE, "name": "<b>"}, kinds="tag")) == "Export tags by a template"


def test_a_folder_whose_name_is_too_long_is_told(order):
    with pytest.raises(OutputNotUsable, match="too long"):
        mediafolders.check_usable(order(format="nfo", to="x" * 300))
