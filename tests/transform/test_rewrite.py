"""Path rules: only at the boundaries of names, the deepest folder first, for paths of both worlds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash_portability.errors import SeveralProblems, UsageError
from stash_portability.transform.rewrite import folders_within, parse_rules, rewrite, split


@pytest.mark.parametrize(
    ("path", "rules", "becomes"),
    [
        ("/data/films/otter.mkv", ["/data=/mnt/nas"], "/mnt/nas/films/otter.mkv"),
        ("/data/films/otter.mkv", ["/data/=/mnt/nas/"], "/mnt/nas/films/otter.mkv"),
        ("/database/otter.mkv", ["/data=/mnt"], "/database/otter.mkv"),
        ("/data", ["/data=/mnt"], "/mnt"),
        ("/data/films/a.mkv", ["/data=/x", "/data/films=/y"], "/y/a.mkv"),
        ("/data/films/a.mkv", ["/data/films=/y", "/data=/x"], "/y/a.mkv"),
        ("/Data/a.mkv", ["/data=/x"], "/Data/a.mkv"),
        ("/a.mkv", ["/=/mnt"], "/mnt/a.mkv"),
        ("/data/a.mkv", ["/data=/"], "/a.mkv"),
        ("/data/a/b.mkv", ["/data="], "a/b.mkv"),
        ("/data/a/b.mkv", ["/data=films"], "films/a/b.mkv"),
        (r"D:\films\a\b.mkv", [r"d:\films=/mnt/films"], "/mnt/films/a/b.mkv"),
        (r"D:\films\a\b.mkv", ["D:/films=/mnt/films"], "/mnt/films/a/b.mkv"),
        (r"D:/films/a.mkv", [r"D:\FILMS=/mnt"], "/mnt/a.mkv"),
        (r"D:\films\a.mkv", ["D:=/mnt/d"], "/mnt/d/films/a.mkv"),
        (r"D:\films\a.mkv", ["/films=/x"], r"D:\films\a.mkv"),
        (r"\\nas\share\a.mkv", [r"\\nas\share=/mnt"], "/mnt/a.mkv"),
        ("//nas/share/a.mkv", [r"\\NAS\share=/mnt"], "/mnt/a.mkv"),
        ("/data/a/b.mkv", [r"/data=Z:\films"], r"Z:\films\a\b.mkv"),
        ("/data/a/b.mkv", ["/data=Z:/films"], "Z:/films/a/b.mkv"),
        ("/data/a/b.mkv", [r"/data=Z:"], r"Z:\a\b.mkv"),
        ("/data/a/b.mkv", [r"/data=\\nas\films"], r"\\nas\films\a\b.mkv"),
        ("/data/a/b.mkv", ["/data=//nas/films"], "//nas/films/a/b.mkv"),
        (r"/data/a\b.mkv", ["/data=/x"], r"/x/a\b.mkv"),
        ("/da=ta/a.mkv", [r"/da\=ta=/x\=y"], "/x=y/a.mkv"),
        ("/data/a.mkv", ["/data=/x=y"], "/x=y/a.mkv"),
        ("/data/é/a.mkv", ["/data/e\u0301=/x"], "/x/a.mkv"),
        ("/data/e\u0301/a.mkv", ["/data=/x"], "/x/e\u0301/a.mkv"),
        ("/data/100% 🦦\n/a.mkv", ["/data=/x"], "/x/100% 🦦\n/a.mkv"),
        ("/data/a.mkv", [], "/data/a.mkv"),
        ("/data/a.mkv", None, "/data/a.mkv"),
    ],
)
def test_a_path_is_rewritten_by_the_rule_of_its_deepest_folder(path, rules, becomes):
    assert rewrite(path, parse_rules(rules)) == becomes


@pytest.mark.parametrize(
    "values",
    [
        "/data=/mnt",
        ["/data=/mnt"],
        {"/data": "/mnt"},
        [{"/data": "/mnt"}],
        [{"old": "/data", "new": "/mnt"}],
        {"old": "/data", "new": "/mnt"},
        ["/data=/mnt", "/data=/mnt"],
    ],
)
def test_rules_come_as_text_or_from_json(values):
    assert rewrite("/data/a.mkv", parse_rules(values)) == "/mnt/a.mkv"


def test_a_mapping_needs_no_escapes():
    assert rewrite("/a=b/c", parse_rules({"/a=b": "/x=y"})) == "/x=y/c"


@pytest.mark.parametrize(
    "values",
    ["/data", "=/mnt", "", ["/data"], [7], 7, {"/data": None}, {"": "/x"}, "/data=/mnt/../x", "/a/../b=/x",
     "/da\0ta=/mnt", "D:\\=/mnt", [["/data=/mnt"]], ["/data=/a", "/data/=/b"], [r"D:\a=/x", r"d:\A=/y"]],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_refused(values):
    with pytest.raises(UsageError, match="path rule"):
        parse_rules(values)


def test_everything_wrong_is_told_at_once():
    with pytest.raises(SeveralProblems) as told:
        parse_rules(["/data", "=/x", "/good=/fine"])
    assert "'/data'" in str(told.value)
    assert "'=/x'" in str(told.value)
    assert "good" not in str(told.value)


@pytest.mark.parametrize(
    ("path", "anchor", "names"),
    [
        ("/a//b/", "/", ("a", "b")),
        ("a/b", "", ("a", "b")),
        (r"c:\a/b", "C:", ("a", "b")),
        ("c:", "C:", ()),
        ("c:a", "", ("c:a",)),
        (r"\\nas\films\a", "\\\\", ("nas", "films", "a")),
        ("//nas/films/a", "\\\\", ("nas", "films", "a")),
        ("", "", ()),
        ("/", "/", ()),
    ],
)
def test_a_path_is_taken_apart(path, anchor, names):
    assert split(path) == (anchor, names)


NAMES = st.text(st.characters(exclude_characters="/\\\0:=", exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))


@given(PATHS, PATHS, PATHS)
def test_a_rule_moves_what_lies_under_its_folder_and_nothing_else(old, new, rest):
    rules = parse_rules({old: new})
    assert rewrite(old + rest, rules) == new + rest
    assert rewrite(f"{old}x{rest}", rules) == f"{old}x{rest}"


@given(PATHS, PATHS)
def test_a_rule_and_its_reverse_give_the_path_back(folder, rest):
    there, back = parse_rules({folder: r"Z:\films"}), parse_rules({r"z:\FILMS": folder})
    assert rewrite(rewrite(folder + rest, there), back) == folder + rest


def test_the_folders_that_parts_of_a_folder_lie_in():
    rules = parse_rules(["/data=/mnt", "/data/films=/mnt/two", "/data/films/late=/mnt/three", "/database=/mnt/four"])
    assert sorted(folders_within("/data", rules)) == ["/mnt/three", "/mnt/two"]
    assert folders_within("/data/films/late", rules) == []
