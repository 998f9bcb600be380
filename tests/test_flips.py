"""Damage at random: flipped bits, cuts, swapped and repeated chunks.

With its checksum beside it every damage of an archive is found. Without, it is found, or it has hit nothing that is
read: what comes out is what went in, or nothing.
"""

import random
import shutil
from pathlib import Path

import pytest

from stash_portability.backup import verify
from stash_portability.errors import LibrariesMissing, UnsupportedVersion, VerificationFailed
from stash_portability.means import Means
from stash_portability.progress import Quiet

from .test_archive_fixtures import OLD, PAIR, content

ZIPS = [path for path in OLD if path.suffix == ".zip"]
SEVEN = [path for path in OLD if path.suffix == ".7z"]


def flip(bytes_, rng):
    bytes_[rng.randrange(len(bytes_))] ^= 1 << rng.randrange(8)


def cut(bytes_, rng):
    del bytes_[rng.randrange(len(bytes_)) :]


def swap(bytes_, rng):
    size = rng.randint(1, min(512, len(bytes_) // 2))
    one, two = sorted(rng.sample(range(len(bytes_) // size), 2))
    first, second = bytes_[one * size : (one + 1) * size], bytes_[two * size : (two + 1) * size]
    bytes_[one * size : (one + 1) * size], bytes_[two * size : (two + 1) * size] = second, first


def repeat(bytes_, rng):
    size, place = rng.randint(1, 512), rng.randrange(len(bytes_))
    bytes_[place:place] = bytes_[place : place + size]


DAMAGES = (flip, flip, flip, cut, swap, repeat)


def damaged(path, rng):
    whole = path.read_bytes()
    bytes_ = bytearray(whole)
    while bytes_ == whole:
        rng.choice(DAMAGES)(bytes_, rng)
    return bytes(bytes_)


def holds(path):
    """Whether verify is content. Whatever is wrong is told as such, and never as a bug."""
    try:
        verify(path, Quiet(), Means())
    except (VerificationFailed, UnsupportedVersion, LibrariesMissing):
        return False
    return True


def harm(paths, count, folder, seed):
    """Damage archives ``count`` times; give how often the second rung alone found it."""
    rng, found = random.Random(seed), 0
    for path in paths:
        whole, beside, alone = content(path), folder / path.name, folder / f"alone{path.suffix}"
        shutil.copy(f"{path}.sha256", f"{beside}.sha256")
        for _ in range(count // len(paths)):
            bytes_ = damaged(path, rng)
            alone.write_bytes(bytes_)
            beside.write_bytes(bytes_)
            assert not holds(beside), "L1 let it pass"
            if holds(alone):
                assert content(alone) == whole, "other records came out"
            else:
                found += 1
    return found


def test_500_damages_are_found(tmp_path):
    assert harm(ZIPS, 500, tmp_path, 6) >= 400


def test_12_damages_of_a_7z_are_found(tmp_path):
    """Fewer, because each is looked at by processes of its own."""
    assert harm(SEVEN, 12, tmp_path, 9) >= 10


@pytest.mark.deep
def test_10000_damages_are_found(tmp_path):
    assert harm(ZIPS, 10_000, tmp_path, 7) >= 8_000


@pytest.mark.deep
def test_600_damages_of_a_7z_are_found(tmp_path):
    assert harm(SEVEN, 600, tmp_path, 10) >= 500


def harm_chain(count, folder, seed):
    """Damage an archive, or the one it is built on; give how often the second rung alone found it."""
    rng, found, whole = random.Random(seed), 0, content(PAIR[1])
    beside = shutil.copytree(PAIR[0].parent, folder / "beside")
    alone = shutil.copytree(PAIR[0].parent, folder / "alone", ignore=shutil.ignore_patterns("*.sha256", "*.json"))
    for _ in range(count):
        victim = rng.choice(PAIR)
        bytes_ = damaged(victim, rng)
        for place in (beside, alone):
            (place / victim.name).write_bytes(bytes_)
        assert not holds(beside / PAIR[1].name), "L1 let it pass"
        if holds(alone / PAIR[1].name):
            assert content(alone / PAIR[1].name) == whole, "other records came out"
        else:
            found += 1
        for place in (beside, alone):
            shutil.copy(victim, place)
    return found


def test_200_damages_of_a_chain_are_found(tmp_path):
    assert harm_chain(200, tmp_path, 11) >= 160


@pytest.mark.deep
def test_5000_damages_of_a_chain_are_found(tmp_path):
    assert harm_chain(5_000, tmp_path, 12) >= 4_000


def test_every_bit_of_a_folder_counts(tmp_path):
    """A folder has no zip around it: each damage of a file in it is found by the second rung alone."""
    demo, rng = Path(__file__).parent.parent / "examples" / "demo", random.Random(8)
    folder = shutil.copytree(demo, tmp_path / "folder")
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json"]
    for _ in range(100):
        file = rng.choice(files)
        whole = file.read_bytes()
        file.write_bytes(damaged(file, rng))
        assert not holds(folder), file
        file.write_bytes(whole)
    assert holds(folder)
