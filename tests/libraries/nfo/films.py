"""Scenes of nature films for the tests of NFO files, and strategies of them full of text that formats trip over."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from stash_portability.libraries.nfo.dialects import DIALECTS
from stash_portability.libraries.nfo.document import Look, document, split_names
from stash_portability.libraries.nfo.text import Mark, serialise
from stash_portability.model import Record

from ...hostile import DATES, PIECES, TEXTS

NAMES = {
    ("studio", "5"): {"name": "Tideline Films"},
    ("performer", "3"): {"name": "Ada Brook", "disambiguation": None},
    ("performer", "4"): {"name": "Ada Brook", "disambiguation": "diver"},
    ("tag", "1"): {"name": "Birds", "parents": ["9"]},
    ("tag", "2"): {"name": "Sea / Coast", "parents": []},
    ("tag", "3"): {"name": "AC/DC", "parents": ["1", "9"]},
    ("tag", "9"): {"name": "Genres", "parents": []},
    ("group", "7"): {"name": "The Long Shore", "synopsis": "Three films of one shore."},
    ("group", "8"): {"name": "Winter", "synopsis": None},
}
FILE = {
    "id": "1", "path": "/films/heron.mp4", "size": 1, "duration": 754.6, "width": 1920, "height": 1080,
    "video_codec": "h264", "audio_codec": "aac",
}  # fmt: skip
SECOND = {**FILE, "id": "2", "path": "/films/heron-small.mp4", "width": 640, "height": 480}
HERON = Record(
    "scene",
    "12",
    {
        "title": "The Heron", "code": "TF-7", "date": "2021-05-04", "details": "A heron waits.\n\nThen it does not.",
        "director": "Mo Reed, Al Fenn, Jr.", "urls": ["https://films.example/heron?a=1&b=2"], "rating100": 75,
        "organized": True, "studio": "5", "performers": ["3", "4"], "tags": ["1", "2", "3"],
        "groups": [{"group": "7", "scene_index": None}, {"group": "8", "scene_index": 2}], "galleries": ["1"],
        "stash_ids": [
            {"endpoint": "https://box.example/graphql", "stash_id": "b-1", "updated_at": "2021-01-01T00:00:00Z"},
            {"endpoint": "https://stashdb.org/graphql", "stash_id": "s-1", "updated_at": "2021-01-01T00:00:00Z"},
        ],
        "custom_fields": {"tide": "low"}, "play_history": ["2022-01-01T08:00:00Z", "2022-02-03T09:10:11Z"],
        "o_history": [], "resume_time": 61.5, "play_duration": 70.0, "files": [FILE, SECOND],
        "captions": [{"language_code": "00", "caption_type": "srt"}, {"language_code": "de", "caption_type": "vtt"}],
        "interactive": False, "interactive_speed": None, "created_at": "2021-06-07T08:09:10Z",
        "updated_at": "2021-06-07T08:09:10Z",
    },
)  # fmt: skip


def made(record=HERON, dialect="kodi", names=NAMES, file=FILE, **look):
    """The document of a scene."""
    look.setdefault("stem", "heron")
    return document(record, lambda kind, uid: names.get((kind, uid)), DIALECTS[dialect], file, Look(**look))


def written(record=HERON, dialect="kodi", names=NAMES, file=FILE, **look):
    """The file of a scene."""
    return serialise(made(record, dialect, names, file, **look).element, Mark(record.uid))


def altered(record=HERON, **fields):
    return record._replace(data={**record.data, **fields})


def without(*fields, record=HERON):
    return record._replace(data={name: value for name, value in record.data.items() if name not in fields})


ODD = st.one_of(
    TEXTS,
    st.lists(
        st.sampled_from([*PIECES, " / ", "/", " /", "--", "-->", "\ud800", "Jr.", ", "]), min_size=1, max_size=5
    ).map("".join),
).filter(bool)
MAYBE = st.none() | ODD
MOMENTS = st.sampled_from(["2020-01-01T00:00:00Z", "1970-01-01T00:00:00.5Z", "2038-01-19T03:14:08Z"])
UIDS = st.lists(st.integers(1, 4).map(str), max_size=3, unique=True).map(sorted)
BOXES = st.fixed_dictionaries({"endpoint": st.just("https://stashdb.org/graphql") | ODD, "stash_id": ODD})


def _named(kind, **more):
    one = st.fixed_dictionaries({"name": ODD, **more})
    return st.lists(one, min_size=4, max_size=4).map(
        lambda drawn: {(kind, str(number)): data for number, data in enumerate(drawn, 1)}
    )


LIBRARIES = st.tuples(
    _named("studio"),
    _named("performer", disambiguation=MAYBE),
    _named("tag", parents=UIDS),
    _named("group", synopsis=MAYBE),
).map(lambda parts: {key: data for part in parts for key, data in part.items()})
SCENES = st.fixed_dictionaries(
    {},
    optional={
        "title": MAYBE,
        "code": MAYBE,
        "date": st.none() | DATES,
        "details": MAYBE,
        "director": MAYBE,
        "urls": st.lists(ODD, max_size=3),
        "rating100": st.none() | st.integers(0, 100),
        "studio": st.none() | st.integers(1, 4).map(str),
        "performers": UIDS,
        "tags": UIDS,
        "groups": UIDS.flatmap(
            lambda uids: st.tuples(
                *(
                    st.fixed_dictionaries({"group": st.just(uid), "scene_index": st.none() | st.integers(-3, 99)})
                    for uid in uids
                )
            ).map(list)
        ),
        "stash_ids": st.lists(BOXES, max_size=2),
        "play_history": st.lists(MOMENTS, max_size=3),
        "resume_time": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "created_at": st.none() | MOMENTS,
    },
).map(lambda data: Record("scene", "12", data))


def plain(text):
    """``text`` as XML can carry it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\t\n" or (char >= " " and not _no_char(char)))


def _no_char(char):
    return "\ud800" <= char <= "\udfff" or char in "\ufffe\uffff"


def expected(record, names, dialect):
    """What is left of a scene's fields once it was written and read, by the declared losses."""
    return {name: value for name, value in _left(record.data, names, dialect).items() if value not in (None, "", [])}


def _left(data, names, dialect):
    def item(text):
        return re.sub(r"\s/(?=\s)", " &", plain(text)) if dialect.splits else plain(text)

    def named(kind, uids, how=item):
        return sorted({how(names[kind, uid]["name"]) for uid in uids} - {""})

    def label(uid):
        performer = names["performer", uid]
        return plain(performer["name"] + (f" ({performer['disambiguation']})" if performer["disambiguation"] else ""))

    def director(name):
        return plain(name.replace(",", "")) if dialect.commas else item(name)

    full = data.get("date") or ""
    seconds = re.compile(r"\.\d+")
    return {
        **{name: plain(data.get(name) or "") for name in ("title", "code")},
        "date": full if len(full) == 10 else full[:4],
        "details": plain(data.get("details") or ""),
        "director": ", ".join(filter(None, map(director, split_names(data.get("director") or "")))),
        "urls": [url for url in map(plain, data.get("urls", ())) if url],
        "rating100": data.get("rating100"),
        "studio": "".join(named("studio", [data["studio"]] if data.get("studio") else [])),
        "performers": sorted({label(uid) for uid in data.get("performers", ())} - {""}),
        "tags": named("tag", data.get("tags", ())),
        "groups": _groups(data.get("groups", ()), names, dialect),
        "stash_ids": [
            {"endpoint": endpoint, "stash_id": uid}
            for endpoint, uid in sorted(
                {(plain(one["endpoint"]), plain(one["stash_id"])) for one in data.get("stash_ids", ())}
            )
            if endpoint and uid
        ],
        "play_history": [seconds.sub("", time) for time in data.get("play_history", ())[-1:]],
        "resume_time": data.get("resume_time") or None,
        "created_at": seconds.sub("", data.get("created_at") or ""),
    }


def _groups(entries, names, dialect):
    by_index = sorted(entries, key=lambda one: (one["scene_index"] is None, one["scene_index"] or 0, int(one["group"])))
    found = {}
    for one in entries if dialect.several_sets else by_index[:1]:
        name = plain(names["group", one["group"]]["name"])
        if name:
            found.setdefault(name, one["scene_index"])
    return [{"group": name, "scene_index": found[name]} for name in sorted(found)]
