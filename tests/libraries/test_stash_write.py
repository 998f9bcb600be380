"""Writing to a Stash: the table of what is written and what cannot be, requests and their outcomes, and what is sent
for what is not set as a whole. That a real Stash takes it all, the live tests say."""

import base64
import io

import pytest

from stash_portability.errors import NotAllWritten, RecordError, StashSaidNo, Stopped, Unreachable, Unreadable
from stash_portability.kinds import CONFIG_GROUPS, CONFIG_TYPES, KINDS
from stash_portability.libraries import stash_write_cannot as cannot
from stash_portability.libraries.schema import Schema, SchemaField
from stash_portability.libraries.stash_answers import Mistake, Outcome
from stash_portability.libraries.stash_write import StashWriter
from stash_portability.libraries.stash_write_batch import FIRST, MOST_BYTES, QUICK, SLOW, Pace
from stash_portability.libraries.stash_write_inputs import input_type, is_plain, mutation, with_points
from stash_portability.libraries.stash_write_later import NOT_KNOWN, Later, handled, later
from stash_portability.libraries.stash_write_request import Argument, Step, send
from stash_portability.model import Blob, Change, Record, Written

OTHER_WRITERS = {
    "sceneAddPlay": ("scene", "play_history"), "sceneAddO": ("scene", "o_history"),
    "sceneSaveActivity": ("scene", "resume_time"), "imageIncrementO": ("image", "o_counter"),
    "setGalleryCover": ("gallery", "cover"), "configure": ("config", "settings"),
}  # fmt: skip
LOST = Unreachable(address="http://127.0.0.1:1", reason="the connection was cut")


def full_schema(without=()):
    """Inputs with every field of the table, but for those named "TagCreateInput.name"."""
    types = {"Mutation": {}, "Studio": {"urls": SchemaField("String")}}
    for kind in KINDS.values():
        for op in ("create", "update"):
            names = [field.write for field in kind.fields if is_plain(field)]
            own = {name: SchemaField("Map" if name == "custom_fields" else "String") for name in names}
            types[input_type(kind, op)] = {
                name: field for name, field in own.items() if f"{input_type(kind, op)}.{name}" not in without
            }
        for op in ("create", "update", "destroy"):
            types["Mutation"][mutation(kind, op)] = SchemaField(kind.graphql)
    for name in ("sceneAddPlay", "sceneDeletePlay", "sceneAddO", "sceneSaveActivity", "imageIncrementO", "configureUI"):
        types["Mutation"][name] = SchemaField("Boolean")
    return Schema(types, {})


class FakeStash:
    """Takes every change, in order, and counts; ``trouble`` are what to answer or raise, by the number of the
    request."""

    def __init__(self, trouble=None, saved=()):
        self.requests = []
        self.trouble = trouble or {}
        self.connection = self
        self.saved = saved

    def change(self, query, variables):
        self.requests.append((query, variables))
        trouble = self.trouble.get(len(self.requests))
        if isinstance(trouble, Exception):
            raise trouble
        if trouble is not None:
            return trouble
        aliases = [call.partition(":")[0] for call in query.partition("{")[2].rstrip("}").split(" a")]
        numbers = [alias.removeprefix("a") for alias in aliases]
        return Outcome({f"a{number}": {"id": f"{len(self.requests)}{number:>03}"} for number in numbers}, ())

    def read(self, kind):
        return iter(self.saved)


def writer(stash, schema=None, open_image=None, **more):
    made = StashWriter(stash, open_image, **more)
    made.__dict__["schema"] = schema or full_schema()
    return made


def creates(count, kind="tag", **more):
    return [Change("create", kind, "", None, {"name": f"Reed {number}", **more}) for number in range(count)]


# The table


def test_every_field_is_written_or_in_the_table_of_what_cannot_be():
    for kind in KINDS.values():
        for field in kind.fields:
            ways = [is_plain(field), (kind.name, field.name) in OTHER_WRITERS.values(), bool(cannot.why_not(field))]
            assert sum(ways) == 1, f"{kind.name}.{field.name}"


def test_every_writer_of_the_table_has_one_who_does_it():
    for kind in KINDS.values():
        for field in kind.fields:
            if field.writer not in ("", "update", "create"):
                assert OTHER_WRITERS[field.writer] == (kind.name, field.name)
                assert field.name in handled(kind.name) or kind.name == "config"


def test_every_reason_is_of_a_field_that_is_there():
    fields = {field.name for kind in KINDS.values() for field in kind.fields if not field.writer}
    assert set(cannot.CANNOT) == fields
    assert all(KINDS[name.partition(".")[0]].field(name.partition(".")[2]) for name in cannot.CANNOT_CLEAR)


def test_every_setting_is_written_or_has_a_reason():
    known = {
        f"{group}.{name}" for group, type_ in CONFIG_GROUPS.items() if type_ for name in CONFIG_TYPES[type_][0].split()
    }
    written = {f"{group}.{name}" for group in CONFIG_GROUPS for name in cannot.settings(group)}
    assert written | set(cannot.SETTINGS_NOT_WRITTEN) == known
    assert not written & set(cannot.SETTINGS_NOT_WRITTEN)
    assert not [name for name in written if any(sign in name.lower() for sign in ("path", "port", "key", "password"))]


def test_what_a_stash_cannot_be_given_is_told_before_anything_is_written():
    schema = full_schema(without=("TagUpdateInput.sort_name",))
    told = writer(FakeStash(), schema).cannot("tag")
    assert set(told) == {"sort_name", "created_at", "updated_at", "delete"}
    assert set(writer(FakeStash()).cannot("scene")) >= {"files", "captions", "interactive", "created_at"}


# Requests


def step(number):
    return Step("tagCreate", (Argument("input", "TagCreateInput!", {"name": f"Reed {number}"}),), "id")


def sent_to(*outcomes):
    queries, waiting = [], list(outcomes)

    def change(query, variables):
        queries.append((query, variables))
        return waiting.pop(0)

    return change, queries


def test_mutations_go_under_aliases_with_a_variable_each():
    change, queries = sent_to(Outcome({"a0": {"id": "5"}, "a1": {"id": "6"}}, ()))
    assert [done.value["id"] for done in send(change, [step(0), step(1)])] == ["5", "6"]
    assert queries == [
        (
            "mutation Write($a0_input:TagCreateInput!,$a1_input:TagCreateInput!)"
            "{a0:tagCreate(input:$a0_input){id} a1:tagCreate(input:$a1_input){id}}",
            {"a0_input": {"name": "Reed 0"}, "a1_input": {"name": "Reed 1"}},
        )
    ]


def test_one_that_fails_takes_only_the_data_of_the_others_away():
    """A mutation that may not be null, and fails, makes the data of the whole answer null: the others are done."""
    change, queries = sent_to(Outcome({}, (Mistake("taken", ("a1",)), Mistake("no time", ("a2", "times", 0)))))
    done = send(change, [step(number) for number in range(4)])
    assert [one.error for one in done] == ["", "taken", "no time", ""]
    assert len(queries) == 1


def test_what_was_so_already_is_no_failure():
    change, _ = sent_to(
        Outcome({}, (Mistake("subgroups with IDs [4] already in group", ("a0",)), Mistake("no", ("a1",))))
    )
    steps = [Step("addGroupSubGroups", (), already="already in group") for _ in range(2)]
    assert [one.error for one in send(change, steps)] == ["", "no"]


def test_what_stash_refuses_to_read_is_left_out_and_the_rest_sent_then():
    first = Outcome({}, (Mistake("HERON is not a valid GenderEnum", ("variable", "a1_input", "gender")),))
    change, queries = sent_to(first, Outcome({"a0": {"id": "5"}, "a2": {"id": "6"}}, ()))
    done = send(change, [step(number) for number in range(3)])
    assert [one.error for one in done] == ["", "HERON is not a valid GenderEnum (at gender)", ""]
    assert list(queries[1][1]) == ["a0_input", "a2_input"]


def test_when_nobody_knows_who_is_to_blame_all_are_told_and_none_is_sent_again():
    change, queries = sent_to(Outcome({}, (Mistake("unknown mutation", ()),)))
    assert [one.error for one in send(change, [step(0), step(1)])] == ["unknown mutation"] * 2
    assert len(queries) == 1


def test_what_cannot_be_sent_as_json_keeps_no_other_back():
    from stash_portability import json_text

    def change(query, variables):
        json_text.dumps(variables)
        return Outcome({"a1": {"id": "6"}}, ())

    bad = Step("tagCreate", (Argument("input", "TagCreateInput!", {"name": 2**70}),), "id")
    first, second = send(change, [bad, step(1)])
    assert "cannot be sent" in first.error
    assert second.value == {"id": "6"}


def test_a_fault_of_ours_is_not_taken_for_one_of_the_data():
    def change(query, variables):
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        send(change, [step(0)])


# What became of each change


def test_after_a_lost_answer_nothing_more_is_sent():
    """What was done before is told, what was on its way is not known, and the rest was not sent."""
    stash = FakeStash({2: LOST})
    written = writer(stash, most=2).write(creates(6))
    assert [one.uid for one in written[:2]] == ["1000", "1001"]
    assert [type(one.error) for one in written] == [type(None)] * 2 + [Unreachable] * 2 + [Stopped] * 2
    assert len(stash.requests) == 2


def test_a_lost_answer_to_what_follows_leaves_the_id_of_what_was_made():
    stash = FakeStash({2: StashSaidNo("it answered 504")})
    data = {"title": "Otter", "play_history": ["2020-01-01T00:00:00Z"]}
    written = writer(stash).write([Change("create", "scene", "", None, data) for _ in range(2)])
    assert [one.uid for one in written] == ["1000", "1001"]
    assert all(type(one.error) is StashSaidNo for one in written)


def test_when_the_answer_is_lost_what_follows_is_not_sent():
    stash = FakeStash({1: LOST})
    mixed = [
        Change("update", "scene", "1", {}, {"title": "Otter"}),
        Change("update", "scene", "2", {"resume_time": 0.0}, {"resume_time": 4.0}),
    ]
    written = writer(stash).write(mixed)
    assert [type(one.error) for one in written] == [Unreachable, Stopped]
    assert len(stash.requests) == 1


def test_an_id_that_is_not_told_is_not_guessed():
    stash = FakeStash({1: Outcome({"a0": None}, ())})
    (written,) = writer(stash).write(creates(1))
    assert (written.uid, type(written.error)) == ("", StashSaidNo)


def test_a_new_record_that_failed_has_no_id():
    stash = FakeStash({1: Outcome({}, (Mistake("taken", ("a0",)),))})
    changes = [Change("create", "tag", f"new:tag:{number}", None, {"name": "Reed"}) for number in range(2)]
    written = writer(stash).write(changes)
    assert [one.uid for one in written] == ["", ""]


def test_an_image_that_cannot_be_had_is_told_and_the_rest_written():
    def gone(blob):
        raise Unreadable(path="films.zip", reason="it is damaged")

    image = Blob("tag", "7", "image", "abc")
    for open_image, why in ((None, "nothing was given"), (gone, "it is damaged"), (lambda _: io.BytesIO(), "empty")):
        stash = FakeStash()
        (written,) = writer(stash, open_image=open_image).write(creates(1, image=image))
        assert isinstance(written.error, NotAllWritten)
        assert why in str(written.error)
        assert stash.requests[0][1] == {"a0_input": {"name": "Reed 0"}}


def test_images_go_as_data_urls():
    stash = FakeStash()
    writer(stash, open_image=lambda _: io.BytesIO(b"\x89PNG")).write(creates(1, image=Blob("tag", "7", "image", "abc")))
    url = stash.requests[0][1]["a0_input"]["image"]
    assert url == f"data:image/unknown;base64,{base64.b64encode(b'%cPNG' % 0x89).decode()}"


def test_a_create_leaves_empty_fields_out_and_an_update_clears_them():
    stash = FakeStash()
    empty = {
        "name": "Reed",
        "description": None,
        "aliases": [],
        "favorite": False,
        "created_at": "2020-01-01T00:00:00Z",
    }
    writer(stash).write([Change("create", "tag", "", None, empty)])
    writer(stash).write([Change("update", "tag", "5", {}, empty)])
    assert stash.requests[0][1] == {"a0_input": {"name": "Reed", "favorite": False}}
    assert stash.requests[1][1] == {
        "a0_input": {"id": "5", "name": "Reed", "description": None, "aliases": [], "favorite": False}
    }


def test_an_update_of_nothing_is_not_sent():
    stash = FakeStash()
    assert writer(stash).write([Change("update", "tag", "5", {}, {"updated_at": "2020-01-01T00:00:00Z"})]) == [
        Written("5", None)
    ]
    assert stash.requests == []


def test_nothing_deletes_a_file():
    stash = FakeStash()
    for kind in ("scene", "image", "gallery"):
        writer(stash).write([Change("delete", kind, "5", {}, None)])
    for _, variables in stash.requests:
        assert variables["a0_input"]["delete_file"] is False
        assert variables["a0_input"]["delete_generated"] is False


@pytest.mark.parametrize(("op", "kind"), [("create", "image"), ("create", "config"), ("delete", "config")])
def test_what_stash_neither_makes_nor_deletes_is_told(op, kind):
    (written,) = writer(FakeStash()).write([Change(op, kind, "", {}, {})])
    assert isinstance(written.error, RecordError)


def test_a_saved_filter_is_sent_whole_and_made_alone():
    had = {"mode": "TAGS", "name": "Old", "find_filter": {"sort": "name"}, "object_filter": None, "ui_options": None}
    stash = FakeStash(saved=[Record("saved_filter", "5", had)])
    changes = [Change("update", "saved_filter", uid, {}, {"name": "New"}) for uid in ("5", "6")]
    first, second = writer(stash).write(changes)
    assert stash.requests[0][1] == {"a0_input": {"id": "5", **had, "name": "New"}}
    assert first.error is None
    assert "it is gone" in str(second.error)
    writer(stash).write(creates(3, "saved_filter", mode="TAGS"))
    assert len(stash.requests) == 4


# How many go to a request


def ticking(*seconds):
    times = [0.0]
    for one in seconds:
        times += [times[-1], times[-1] + one]
    return iter(times[1:]).__next__


def test_requests_grow_while_they_are_quick_and_shrink_when_they_are_slow():
    pace = Pace(100, ticking(QUICK / 2, QUICK / 2, QUICK * 2, SLOW * 2, SLOW * 2))
    sizes = [pace.size]
    for _ in range(5):
        pace.timed(lambda: None)
        sizes.append(pace.size)
    assert sizes == [FIRST, FIRST * 2, FIRST * 4, FIRST * 4, FIRST * 2, FIRST]


def test_big_images_make_small_requests():
    stash = FakeStash()
    image = bytes(MOST_BYTES // 3)
    change = creates(5, image=Blob("tag", "7", "image", "abc"))
    written = writer(stash, open_image=lambda _: io.BytesIO(image)).write(change)
    assert all(one.error is None for one in written)
    assert [len(variables) for _, variables in stash.requests] == [2, 2, 1]


# What is not set as a whole


def steps_of(kind, name, before, after):
    plan = Later(KINDS[kind], "7", None if before is KeyError else {name: before}, {name: after})
    later(plan)
    return [(step.mutation, *[argument.value for argument in step.arguments]) for step in plan.steps]


def test_histories_are_written_by_their_difference():
    one, two = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
    assert steps_of("scene", "play_history", [one, one, two], [one, two, two]) == [
        ("sceneDeletePlay", "7", [one]),
        ("sceneAddPlay", "7", [two]),
    ]
    assert steps_of("scene", "o_history", [one], [one]) == []
    assert steps_of("scene", "o_history", [one], ["2020-01-01T00:00:00.75Z", two]) == [("sceneAddO", "7", [two])]


@pytest.mark.parametrize("name", ["play_history", "o_history"])
def test_a_history_is_not_written_when_it_is_not_known_what_was_there(name):
    plan = Later(KINDS["scene"], "7", {}, {name: ["2020-01-01T00:00:00Z"]})
    later(plan)
    assert (plan.steps, plan.told) == ([], {name: NOT_KNOWN})


@pytest.mark.parametrize(
    ("had", "wanted", "calls"),
    [
        (0, 2, ["imageIncrementO"] * 2),
        (5, 3, ["imageDecrementO"] * 2),
        (5, 1, ["imageResetO", "imageIncrementO"]),
        (5, 0, ["imageResetO"]),
        (4, 4, []),
    ],
)
def test_a_counter_is_counted_the_shorter_way(had, wanted, calls):
    assert [step[0] for step in steps_of("image", "o_counter", had, wanted)] == calls


def test_what_was_watched_is_set_and_to_a_new_scene_added():
    assert steps_of("scene", "resume_time", 3.0, 0.0) == [("sceneSaveActivity", "7", 0.0)]
    assert steps_of("scene", "play_duration", 3.0, 9.0) == []
    assert steps_of("scene", "play_duration", KeyError, 9.0) == [("sceneSaveActivity", "7", 9.0)]
    assert steps_of("scene", "resume_time", KeyError, 0.0) == []


def test_images_come_and_go_from_galleries_one_by_one():
    assert steps_of("image", "galleries", ["1", "2"], ["2", "10", "9"]) == [
        ("removeGalleryImages", {"gallery_id": "1", "image_ids": ["7"]}),
        ("addGalleryImages", {"gallery_id": "9", "image_ids": ["7"]}),
        ("addGalleryImages", {"gallery_id": "10", "image_ids": ["7"]}),
    ]


def test_numbers_have_points():
    """Stash reads a number without one as a whole one, and 1e-7 as a 0."""
    from stash_portability import json_text

    values = {"a": 1e-7, "b": 1e300, "c": 1.5, "d": 3, "e": [2.5e-9], "f": -1e16, "g": "1e5", "h": True}
    text = json_text.dumps(with_points(values))
    assert json_text.loads(text) == values
    assert text == b'{"a":1.0e-07,"b":1.0e+300,"c":1.5,"d":3,"e":[2.5e-9],"f":-1.0e+16,"g":"1e5","h":true}'


def test_settings_of_the_page_are_only_those_of_the_page():
    stash = FakeStash()
    change = Change("update", "config", "ui", {"settings": {"title": "a"}}, {"settings": {"title": "b", "pond": 1}})
    assert writer(stash).write([change]) == [Written("ui", None)]
    assert stash.requests[0][1] == {"a0_partial": {"title": "b"}}


def test_what_the_server_has_no_mutation_for_is_told():
    schema = full_schema()
    del schema.types["Mutation"]["sceneAddO"]
    change = Change("update", "scene", "7", {"o_history": []}, {"o_history": ["2020-01-01T00:00:00Z"], "title": "a"})
    (written,) = writer(FakeStash(), schema).write([change])
    assert isinstance(written.error, NotAllWritten)
    assert written.error.words["fields"] == ("o_history",)


def test_custom_fields_go_as_the_server_wants_them():
    """An update replaces all of them; since which version which kind has them, its inputs say."""
    schema = full_schema()
    schema.types["TagUpdateInput"]["custom_fields"] = SchemaField("CustomFieldsInput")
    stash, own = FakeStash(), {"name": "Reed", "custom_fields": {"depth": 2}}
    writer(stash, schema).write([Change("create", "tag", "", None, own)])
    writer(stash, schema).write([Change("update", "tag", "5", {}, own)])
    assert stash.requests[0][1]["a0_input"]["custom_fields"] == {"depth": 2}
    assert stash.requests[1][1]["a0_input"]["custom_fields"] == {"full": {"depth": 2}}


def test_an_older_stash_is_given_what_it_takes():
    """One URL of a studio, and whole dates."""
    schema = full_schema()
    del schema.types["Studio"]["urls"]
    for op in ("create", "update"):
        fields = schema.types[input_type(KINDS["studio"], op)]
        fields["url"] = fields.pop("urls")
    stash = FakeStash()
    for urls in (["https://a.example"], [], ["https://a.example", "https://b.example"]):
        writer(stash, schema).write([Change("update", "studio", "5", {}, {"name": "Pond", "urls": urls})])
    sent = [variables["a0_input"] for _, variables in stash.requests]
    assert [values.get("url", "not sent") for values in sent] == ["https://a.example", None, "not sent"]
    dates = [{"title": "Otter", "date": date} for date in ("2021-05-01", "2021-05", "2021")]
    written = writer(stash, schema).write([Change("update", "scene", "5", {}, one) for one in dates])
    assert [one.error is None for one in written] == [True, False, False]
    assert "date" not in stash.requests[-1][1]["a2_input"]
