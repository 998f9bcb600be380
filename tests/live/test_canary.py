"""Secrets planted in every text of a real Stash: each level lets out only what its classes allow, by both readers,
in every format, and no secret leaves at any level. Every byte of every output, log and report is looked at."""

from pathlib import Path

import pytest

from stash_portability.__main__ import main
from stash_portability.kinds import LEVELS
from stash_portability.libraries.tables.layout import FORMS

from .canaries import plant_canaries
from .stash_server import NEW, OLD

PEN_NAMES = "performer.name"


@pytest.fixture(scope="module", params=[NEW, OLD])
def planted(request, tmp_path_factory):
    """A Stash with a canary in every text, and the canaries."""
    from .conftest import binary
    from .stash_server import StashServer

    with StashServer(binary(request.param, request.config), tmp_path_factory.mktemp("canaries")) as server:
        yield server, plant_canaries(server)


def written(out: Path, said) -> bytes:
    files = [entry.read_bytes() + str(entry.relative_to(out)).encode() for entry in out.rglob("*") if entry.is_file()]
    return b"\n".join([*files, said.out.encode(), said.err.encode()])


def leaked(canaries, everything: bytes, level: str) -> list[str]:
    return [
        name for name, one in canaries.items()
        if one.privacy not in LEVELS[level] and one.text.encode() in everything
        and not name.startswith(("folder", "path.")) | (level == "full")
    ]  # fmt: skip


def export(server, tmp_path, capsys, monkeypatch, *arguments):
    monkeypatch.setenv("STASH_API_KEY", server.api_key)
    out = tmp_path / "out"
    code = main(["export", "--from", server.url, "--to", str(out), *arguments])
    said = capsys.readouterr()
    assert code in (0, 1), said.err
    return said, written(out, said)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", FORMS)
def test_no_level_lets_out_more_than_its_classes(planted, form, level, tmp_path, capsys, monkeypatch):
    server, canaries = planted
    said, everything = export(server, tmp_path, capsys, monkeypatch, "--format", form, "--privacy", level, "--blobs")
    assert leaked(canaries, everything, level) == []
    if level != "full":
        files_only = everything.replace(said.out.encode(), b"").replace(said.err.encode(), b"")
        paths = [name for name, one in canaries.items() if one.privacy == "path" and one.text.encode() in files_only]
        assert paths == []


def test_full_lets_out_what_is_not_secret(planted, tmp_path, capsys, monkeypatch):
    server, canaries = planted
    _, everything = export(server, tmp_path, capsys, monkeypatch, "--format", "jsonl", "--blobs")
    kept_back = [
        name for name, one in canaries.items() if one.privacy in LEVELS["full"] and one.text.encode() not in everything
    ]
    assert kept_back == []


def test_json_lines_and_errors_carry_no_key(planted, tmp_path, capsys, monkeypatch):
    server, canaries = planted
    monkeypatch.setenv("STASH_API_KEY", server.api_key)
    main(["--json", "export", "--from", server.url, "--to", str(tmp_path / "a")])
    main(["--json", "export", "--from", server.url, "--to", str(tmp_path / "b"), "--filter", '{"titel": 1}'])
    monkeypatch.setenv("STASH_API_KEY", server.api_key + "x")
    main(["export", "--from", server.url, "--to", str(tmp_path / "c")])
    main(["doctor", "--from", server.url])
    said = capsys.readouterr()
    assert server.api_key not in said.out + said.err
    assert [name for name, one in canaries.items() if one.privacy == "secret" and one.text in said.out + said.err] == []
