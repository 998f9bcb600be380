import assert from "node:assert/strict";
import { test } from "node:test";

import * as choices from "../../ui/page/choices.js";
import { keep, recall } from "../../ui/page/kept.js";
import { rulesOrder } from "../../ui/page/nfo.js";
import { FACTS, storage } from "./facts.mjs";

const LIST = { kind: "scene", where: "list", filter: { rating100: { value: 80 } } };
const means = (context, kept = {}, facts = FACTS) => ({ context, facts, kept });
const nfo = (media = {}, context = LIST, kept = {}) => {
  const state = choices.withForm(choices.begin(context, FACTS, kept), "nfo", means(context, kept));
  return { ...state, media: { ...state.media, ...media } };
};
const order = (state, context = LIST) => choices.orderOf(state, context, FACTS);

test("for a media server: into the usual folder, with artwork, and files of others are kept", () => {
  assert.deepEqual(order(nfo()), {
    kinds: "scene",
    filter: LIST.filter,
    format: "nfo",
    nfo_profile: "kodi",
    artwork: true,
    foreign_nfo: "keep",
    nfo_genres: "all",
    privacy: "full",
  });
});

test("everything that can be chosen for a media server", () => {
  const media = { server: "emby", beside: true, artwork: false, foreign: "merge", movie: true, remove: true };
  const rules = [
    { from: "/data/films", to: "/media/films" },
    { from: "", to: " " },
  ];
  const asked = order(nfo({ ...media, rules, genres: "below", genreTag: " Genres " }));
  assert.deepEqual(asked, {
    kinds: "scene",
    filter: LIST.filter,
    format: "nfo",
    nfo_profile: "emby",
    beside_media: true,
    path: ["/data/films=/media/films"],
    artwork: false,
    foreign_nfo: "merge",
    movie_nfo: true,
    nfo_genres: "Genres",
    remove_deleted: true,
    privacy: "full",
  });
});

test("another folder is named, and beside the media none is", () => {
  assert.equal(order(nfo({ folder: " /srv/nfo " })).to, "/srv/nfo");
  assert.equal(order(nfo({ folder: "" })).to, undefined);
  assert.equal(order(nfo({ folder: "/srv/nfo", beside: true })).to, undefined);
});

test("a rule's two paths stay two", () => {
  const path = (from, to) => rulesOrder([{ from, to }]).path;
  assert.deepEqual(path("/a=b", "/c=d"), ["/a\\=b=/c\\=d"]);
  assert.deepEqual(path("C:\\films\\", "\\\\nas\\films"), ["C:\\films=\\\\nas\\films"]);
  assert.deepEqual(rulesOrder([]), {});
});

test("what is missing before there is an order for a media server", () => {
  const lack = (media) => choices.missing(nfo(media), FACTS);
  assert.equal(lack({}), "");
  assert.equal(lack({ rules: [{ from: "/a", to: "" }] }), "rules");
  assert.equal(lack({ rules: [{ from: " ", to: "" }] }), "");
  assert.equal(lack({ genres: "below", genreTag: " " }), "genres");
});

test("NFO is offered for scenes, and where the kind can be changed it leads to scenes", () => {
  const forms = (context) => choices.formsOf(context, FACTS);
  assert.deepEqual(forms(LIST), ["csv", "nfo", "template", "json", "yaml"]);
  assert.deepEqual(forms({ kind: "tag", where: "list" }), ["csv", "template", "json", "yaml"]);
  assert.deepEqual(forms({}), forms(LIST));
  const state = nfo({}, {});
  assert.deepEqual([state.kind, state.form], ["scene", "nfo"]);
  assert.equal(order(state, {}).kinds, "scene");
});

test("a profile and an export for a media server exclude each other", () => {
  const state = { ...choices.begin(LIST, FACTS, {}), profile: "lend" };
  assert.equal(choices.withForm(state, "nfo", means(LIST)).profile, "");
});

test("another kind leaves NFO, and finds it again with scenes", () => {
  const kept = { form: { scene: "nfo", tag: "nfo", "*": "nfo" } };
  for (const [kind, form] of [["tag", "csv"], ["scene", "nfo"], [choices.EVERYTHING, "json"]])
    assert.equal(choices.withKind(nfo(), kind, means({}, kept)).form, form, kind);
});

test("what was chosen for a media server is remembered, but that files are removed", () => {
  const browser = storage();
  const chosen = { server: "jellyfin", beside: true, artwork: false, rules: [{ from: "/a", to: "/b" }], remove: true };
  keep(browser, nfo(chosen));
  const state = choices.begin(LIST, FACTS, recall(browser));
  assert.equal(state.form, "nfo");
  assert.deepEqual({ ...state.media, ...chosen, remove: false }, state.media);
});

test("odd things that are remembered of media servers are passed over", () => {
  const from = (media) => choices.begin(LIST, FACTS, recall(storage({ "stash-portability": JSON.stringify({ media }) }))).media;
  const usual = from({});
  for (const odd of [7, null, [], "x", { rules: "x" }, { rules: [{ from: 1 }] }, { rules: [null] }, { artwork: "no" }])
    assert.deepEqual(from(odd), usual);
  assert.deepEqual(from({ server: "gone", foreign: "gone", genres: "gone", folder: "" }), usual);
  assert.deepEqual(from({ remove: true, more: 1 }), usual);
});

test("a backend that tells nothing of media servers does no harm", () => {
  const facts = { ...FACTS, media: undefined, templates: undefined, formats: { csv: "commas", json: "one document" } };
  const state = choices.begin(LIST, facts, { form: { scene: "nfo" } });
  assert.equal(state.form, "csv");
  assert.deepEqual(choices.formsOf({}, facts), ["csv", "json"]);
});
