"""Small libraries of nature films, drawn at random, and what a person would call the same library."""

from collections import Counter

from hypothesis import strategies as st

from stash_portability.kinds import KINDS
from stash_portability.libraries.memory import MemoryLibrary
from stash_portability.model import Record
from stash_portability.reconcile.rules import ORDER, reference_fields, written

INSTANTS = [f"2024-05-0{day}T10:00:00Z" for day in range(1, 4)]
NAMES = st.sampled_from(["Forest", "River", "Desert", "Reef", "Tundra"])
TEXTS = st.sampled_from([None, "wide", "close"])


def subset(values, most=3):
    return st.lists(st.sampled_from(values), unique=True, max_size=most).map(sorted) if values else st.just([])


def tag(name, **more):
    return {"name": name, "description": None, "aliases": [], "parents": [], "favorite": False, **more}


def scene(print_, **more):
    file = {"path": f"/films/{print_}.mp4", "size": 10, "fingerprints": [{"type": "oshash", "value": print_}]}
    base = {"title": None, "urls": [], "rating100": None, "studio": None, "performers": [], "tags": [], "groups": []}
    rest = {"galleries": [], "stash_ids": [], "custom_fields": {}, "play_history": [], "resume_time": 0.0}
    return {**base, **rest, "files": [file], **more}


def marker(of, seconds, **more):
    return {"scene": of, "title": None, "seconds": seconds, "primary_tag": None, "tags": [], **more}


def record_all(kind, start, datas):
    return [Record(kind, str(start + number), data) for number, data in enumerate(datas)]


@st.composite
def tags(draw, start):
    names = draw(st.lists(NAMES, unique=True, max_size=4))
    free = [f"{name} too" for name in names] + ["Grove", "Brook"]
    uids = [str(start + number) for number in range(len(names))]
    found = []
    for number, name in enumerate(names):
        aliases = draw(subset(free, 1))
        free = [one for one in free if one not in aliases]
        # No circles: a tag's parents are among those before it.
        parents = draw(subset(uids[:number], 2))
        found.append(tag(name, aliases=aliases, parents=parents, description=draw(TEXTS), favorite=draw(st.booleans())))
    return record_all("tag", start, found)


@st.composite
def groups(draw, start, tag_ids):
    found = []
    for name in draw(st.lists(NAMES, unique=True, max_size=3)):
        within = draw(subset([str(start + number) for number in range(len(found))], 1))
        containing = [{"group": uid, "description": draw(TEXTS)} for uid in within]
        found.append(
            {"name": name, "aliases": None, "date": draw(st.sampled_from([None, "2024", "2024-05"])),
             "urls": [], "tags": draw(subset(tag_ids)), "containing_groups": containing}
        )  # fmt: skip
    return record_all("group", start, found)


@st.composite
def scenes(draw, start, tag_ids, group_ids):
    found = []
    for print_ in draw(subset(["a1", "b2", "c3", "d4"], 4)):
        within = [{"group": uid, "scene_index": draw(st.integers(1, 2))} for uid in draw(subset(group_ids, 2))]
        plays = sorted(draw(st.lists(st.sampled_from(INSTANTS), max_size=3)))
        more = {"title": draw(TEXTS), "urls": draw(st.lists(st.sampled_from("xyz"), unique=True, max_size=2)),
                "rating100": draw(st.sampled_from([None, 0, 40])), "play_history": plays, "groups": within}  # fmt: skip
        more["custom_fields"] = dict(sorted(draw(st.dictionaries(st.sampled_from("kl"), st.integers(0, 1))).items()))
        more["stash_ids"] = [{"endpoint": "https://box.example", "stash_id": draw(st.sampled_from("12"))}]
        more["stash_ids"] = more["stash_ids"][: draw(st.integers(0, 1))]
        found.append(scene(print_, tags=draw(subset(tag_ids)), **more))
    return record_all("scene", start, found)


@st.composite
def markers(draw, start, scene_ids, tag_ids):
    found = []
    for _ in range(draw(st.integers(0, 3)) if scene_ids and tag_ids else 0):
        of, seconds = draw(st.sampled_from(scene_ids)), float(draw(st.integers(0, 1)))
        found.append(marker(of, seconds, title=draw(TEXTS), primary_tag=draw(st.sampled_from(tag_ids)),
                            tags=draw(subset(tag_ids))))  # fmt: skip
    return record_all("marker", start, found)


@st.composite
def libraries(draw, start=1):
    """Records; ids begin at ``start``, so that two libraries can have none in common."""
    made = draw(tags(start))
    uids = {"tag": [one.uid for one in made]}
    for kind, more in (("group", groups), ("scene", scenes), ("marker", markers)):
        needs = {"group": ["tag"], "scene": ["tag", "group"], "marker": ["scene", "tag"]}[kind]
        records = draw(more(start, *(uids[need] for need in needs)))
        uids[kind] = [one.uid for one in records]
        made += records
    return made


def with_every_scene(records, others):
    """``records``, and the scenes of ``others`` whose files are not among them: the same media was scanned."""
    have = {one.data["files"][0]["path"] for one in records if one.kind == "scene"}
    highest = max((int(one.uid) for one in records), default=0) + 100
    lacking = [one for one in others if one.kind == "scene" and one.data["files"][0]["path"] not in have]
    scanned = [scene(one.data["files"][0]["fingerprints"][0]["value"]) for one in lacking]
    return [*records, *record_all("scene", highest, scanned)]


def memory(records):
    return MemoryLibrary(Record(one.kind, one.uid, dict(one.data)) for one in records)


def names(library):
    """What a record is called, in place of its id."""
    found = {}
    for kind in ORDER:
        for one in library.read(kind):
            files = one.data.get("files")
            found[kind, one.uid] = files[0]["path"] if files else one.data.get("name") or f"{kind} {one.uid}"
    return found


def view(library):
    """Everything a library holds, without ids: by kind a multiset of records."""
    called = names(library)
    found = {}
    for kind in ORDER:
        records = [_viewed(kind, one.data, called) for one in library.read(kind)]
        found[kind] = Counter(repr(one) for one in records)
    return found


def _viewed(kind, data, called):
    out = {field.name: data.get(field.name) for field in written(kind)}
    out["files"] = data.get("files")
    for field, part in reference_fields(kind):
        value = out.get(field.name)
        if not value:
            continue
        if part is not None:
            entries = [sorted({**one, part.name: called[part.of, one[part.name]]}.items()) for one in value]
            out[field.name] = sorted(entries, key=repr)
        elif field.many:
            out[field.name] = sorted(called[field.of, uid] for uid in value)
        else:
            out[field.name] = called[field.of, value]
    return sorted(out.items())


assert set(KINDS) == set(ORDER)
