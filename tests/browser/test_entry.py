"""The ways in from every list of Stash: what the dialog is told of it. Behind main.js stands a stub."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from .harness import EXPORT

GRID, TABLE = 0, 1
COUNT = "query($q: String, $f: SceneFilterType) { findScenes(filter: {q: $q}, scene_filter: $f) { count } }"


def criterion(**parts: Any) -> str:
    """A criterion as Stash's page keeps it in its address: JSON with parentheses for braces."""
    return quote(json.dumps(parts).replace("{", "(").replace("}", ")"))


def tagged(uid: str, label: str) -> str:
    value = {"items": [{"id": uid, "label": label}], "excluded": [], "depth": 0}
    return criterion(type="tags", modifier="INCLUDES_ALL", value=value)


def count(site, context) -> int:
    """How many scenes the server finds for what the dialog was told."""
    found: int = site.graphql(COUNT, {"q": context["query"], "f": context["filter"]})["findScenes"]["count"]
    return found


@pytest.mark.parametrize("form", [GRID, TABLE], ids=["grid", "table"])
def test_the_filter_and_the_search_of_the_scenes_list_come_along(tab, site, form):
    tab.go(f"/scenes?disp={form}&q=survey&c={tagged(site.ids['tag:0'], 'Season 0')}")
    tab.rows().nth(3).wait_for()
    tab.export()
    context = tab.context()
    criteria = {"tags": {"value": [site.ids["tag:0"]], "modifier": "INCLUDES_ALL", "depth": 0, "excludes": []}}
    assert context == {"kind": "scene", "where": "list", "selected": [], "query": "survey", "filter": criteria}
    assert tab.asked["FindScenes"]["scene_filter"] == criteria
    assert count(site, context) == 30
    tab.shot(f"entry-stub-{form}")


def test_a_search_typed_into_the_list_comes_along(tab):
    tab.go("/scenes")
    tab.rows().first.wait_for()
    tab.page.locator(".filtered-list-toolbar input.query-text-field, .search-term-input input").first.fill("survey 1")
    tab.page.wait_for_url("**q=survey*")
    tab.export()
    assert tab.context()["query"] == "survey 1"


@pytest.mark.parametrize("form", [GRID, TABLE], ids=["grid", "table"])
def test_a_selection_on_two_pages_comes_along_whole(tab, site, form):
    tab.go(f"/scenes?disp={form}&perPage=20&sortby=title&sortdir=asc&q=survey")
    tab.rows().nth(19).wait_for()
    tab.select(0, 2)
    tab.page.keyboard.press("Escape")
    tab.page.locator(".pagination:visible .btn", has_text="2").first.click()
    tab.page.wait_for_url("**p=2*")
    tab.page.get_by_text("Reed survey 21").first.wait_for()
    tab.select(0)
    tab.export()
    titles = "query($ids: [ID!]) { findScenes(ids: $ids) { scenes { title } } }"
    found = site.graphql(titles, {"ids": tab.context()["selected"]})["findScenes"]["scenes"]
    assert sorted(scene["title"] for scene in found) == ["Reed survey 01", "Reed survey 03", "Reed survey 21"]


TABS = [
    ("/performers/{performer_full}/scenes", "performers"),
    ("/studios/{studio_full}/scenes", "studios"),
    ("/tags/{tag_0}/scenes", "tags"),
    ("/groups/{group_full}/scenes", "groups"),
]


def test_the_hidden_filter_of_a_tab_comes_along(tab, site):
    tab.go("/")  # its rows are queries of the same name
    for path, criteria in TABS:
        tab.move(path.format(**{key.replace(":", "_"): uid for key, uid in site.ids.items()}))
        tab.page.locator(".scene-list .scene-card").first.wait_for()
        tab.export()
        context = tab.context()
        assert context["filter"] == tab.asked["FindScenes"]["scene_filter"]
        assert list(context["filter"]) == [criteria]
        shown = tab.page.locator(".pagination-index, .filter-container").first.inner_text()
        assert f"of {count(site, context)}" in shown


LISTS = {
    "performer": ("/performers", "FindPerformers", "performer_filter"),
    "studio": ("/studios", "FindStudios", "studio_filter"),
    "tag": ("/tags", "FindTagsForList", "tag_filter"),
    "gallery": ("/galleries", "FindGalleries", "gallery_filter"),
    "image": ("/images", "FindImages", "image_filter"),
    "marker": ("/scenes/markers", "FindSceneMarkers", "scene_marker_filter"),
    "group": ("/groups", "FindGroups", "group_filter"),
}


def test_every_other_list_has_the_entry(tab):
    tab.go("/stats")
    for kind, (path, operation, criteria) in LISTS.items():
        tab.move(f"{path}?q=e&disp=0&sortby=created_at")
        tab.rows().first.wait_for()
        if kind != "marker":  # markers are a wall, with nothing to tick
            tab.select(0)
        tab.export()
        context = tab.context()
        assert (context["kind"], context["query"]) == (kind, "e")
        assert context["filter"] == tab.asked[operation].get(criteria, {})
        assert len(context["selected"]) == (kind != "marker")


def test_images_inside_a_gallery_have_the_hidden_filter(tab, site):
    tab.go(f"/galleries/{site.ids['gallery:own']}")
    tab.rows().first.wait_for()
    tab.export()
    assert tab.context()["filter"]["galleries"]["value"] == [site.ids["gallery:own"]]


def test_the_visible_button_opens_one_dialog_however_often_it_is_pressed(tab):
    tab.go("/scenes")
    button = tab.page.locator(".portability-export")
    button.wait_for()
    assert button.count() == 1
    button.dblclick()
    tab.context()
    tab.page.wait_for_timeout(200)
    assert tab.page.locator(".modal.show").count() == 1
    assert tab.page.evaluate("window.stub.started") == [{"pluginId": "stash-portability", "base": f"{tab.base}/"}]


def test_the_dialog_stands_inside_the_providers_and_survives_the_list(tab):
    tab.go("/scenes")
    tab.rows().first.wait_for()
    tab.export()
    tab.context()
    tab.page.evaluate("PluginApi.utils.StashService.getClient().refetchQueries({include: 'active'})")
    tab.page.get_by_role("button", name="say").click()
    tab.page.get_by_text("said from the stub").wait_for()
    assert tab.page.locator("#stub-dialog").count() == 1
    tab.page.get_by_role("link", name="to tags").click()
    tab.page.wait_for_url("**/tags*")
    tab.page.locator("#stub-dialog").wait_for(state="detached")


def test_the_focus_goes_back_and_stashs_keys_rest_meanwhile(tab):
    tab.go("/performers")
    tab.rows().first.wait_for()
    tab.page.locator("#more-menu").focus()
    tab.page.keyboard.press("Enter")
    for _ in range(8):
        tab.page.keyboard.press("ArrowDown")
        if tab.page.evaluate("document.activeElement.textContent") == EXPORT:
            break
    tab.page.keyboard.press("Enter")
    tab.context()
    tab.page.keyboard.type("gt")  # Stash's way to the tags
    tab.page.keyboard.press("Escape")
    tab.page.locator("#stub-dialog").wait_for(state="detached")
    tab.page.wait_for_function("document.activeElement.id === 'more-menu'")
    assert tab.page.url.split("?")[0].endswith("/performers")
    tab.page.keyboard.type("gt")
    tab.page.wait_for_url("**/tags*")


def test_without_reacts_tree_apollos_query_tells_the_filter(tab, site):
    tab.go(f"/performers/{site.ids['performer:full']}/scenes")
    tab.rows().first.wait_for()
    tab.page.evaluate("""() => {
        const root = document.getElementById("root");
        delete root[Object.keys(root).find((name) => name.startsWith("__reactContainer$"))];
        const { GQL, utils } = window.PluginApi;
        const other = { query: GQL.FindScenesDocument, variables: { filter: { q: "dam" }, scene_filter: {} } };
        window.other = utils.StashService.getClient().watchQuery(other).subscribe(() => { window.answered = true; });
    }""")
    tab.page.wait_for_function("window.answered")
    tab.page.locator(".portability-export").click()
    context = tab.context()
    assert context["filter"]["performers"]["value"] == [site.ids["performer:full"]]
    assert (context["query"], context["selected"]) == ("", [])
