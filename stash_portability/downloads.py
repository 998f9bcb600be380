"""Finished exports that a browser can fetch for an hour: links under unguessable names in the plugin's folder.

Stash serves ``downloads/`` of the plugin's folder as files, and lists folders, so every folder of it holds an
empty ``index.html``. What is linked is a second name of the export's file (a hard link, else a symbolic one, else a
copy); what a browser would not simply save is zipped. Sweeping removes only what this module made. Standard library
only.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .errors import NoLink

FOLDER, INDEX, ASIDE = "downloads", "index.html", ".making"
LIFETIME = timedelta(hours=1)
TOKEN = re.compile(r"[0-9a-f]{32}")
AS_THEY_ARE = (".csv", ".tsv", ".json", ".jsonl", ".zip", ".7z")
"""The endings of files that a browser is given as they are. Stash serves them from its own origin, so nothing that a
browser would show as a page may be among them. Where Stash's machine knows no type for an ending, the file's first
bytes tell it (Go's net/http, DetectContentType), so a file that begins like a page is zipped whatever its ending."""
NEVER_PAGES = (".json", ".zip")
"""Endings whose type Go knows everywhere, or which only our own zips have."""
SNIFFED = 512
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
"""What does not get smaller."""
OURS_HALF = re.compile(r"\.stash-portability-.*\.partial", re.DOTALL)
"""A file that is being written beside its place."""
MOST_ZIPPED = 200 << 20
"""Bytes that are zipped while somebody waits. Measured: 50 to 100 MB/s of text that hardly packs, 580 of other text."""
SECONDS = 3.5
"""The longest zipping or copying, because an answer has to be there in five seconds."""
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_CHUNK = 1 << 20
_NO_LINKS = (
    errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL,
)  # fmt: skip
"""What a disk says that has no hard links, or not here. EINVAL: Windows on exFAT, and on some network folders."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link: ``path`` is below the plugin's assets and needs no quoting, ``name`` what the file is to be called."""

    path: str
    name: str
    bytes: int
    until: datetime


def link(plugin: Path, target: Path, token: bytes, now: datetime, clock: Callable[[], float] = time.monotonic) -> Link:
    """Offer ``target``, a finished export, under ``downloads/<token>/`` of the ``plugin`` folder; ``token`` are 16
    random bytes. The caller has made sure that ``target`` is an output of ours. Raises NoLink, saying where the
    export lies."""
    sweep(plugin, now)
    try:
        mode = target.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise NoLink(path=target, reason="it is no ordinary file or folder")
        zipped = stat.S_ISDIR(mode) or target.suffix not in AS_THEY_ARE or _begins_like_a_page(target)
        if zipped:
            _check_size(target)
        place = _make_folder(plugin, token.hex())
        name = f"{target.name}.zip" if zipped else target.name
        size = _fill(place / _safe(name), target, zipped, _deadline(target, clock))
        return Link(f"{FOLDER}/{place.name}/{_safe(name)}", name, size, now + LIFETIME)
    except FileNotFoundError as error:
        reason = f"{plugin} is not there" if os.path.lexists(target) else "it is not there any more"
        raise NoLink(path=target, reason=reason) from error
    except OSError as error:
        reason = f"{plugin / FOLDER} cannot be written ({error.strerror or error}); take it from there"
        raise NoLink(path=target, reason=reason) from error


def _begins_like_a_page(target: Path) -> bool:
    with target.open("rb") as stream:
        return stream.read(SNIFFED).lstrip(b"\t\n\x0c\r ").startswith(b"<")


def _fill(final: Path, target: Path, zipped: bool, check: Callable[[], None]) -> int:
    """Put ``target`` at ``final``; give its size. ``check`` raises when the time is over."""
    try:
        if zipped:
            _aside(final, lambda half: _zip(target, half, check))
        else:
            _second_name(target, final, check)
        return final.stat().st_size
    except BaseException:
        _remove(final.parent)
        raise


def still_there(plugin: Path, path: str) -> bool:
    """Whether a link made before is there: ``path`` as ``link`` gave it."""
    parts = path.split("/")
    if len(parts) != 3 or parts[0] != FOLDER or not TOKEN.fullmatch(parts[1]) or parts[2] != _safe(parts[2]):
        return False
    return (plugin / path).is_file()


def sweep(plugin: Path, now: datetime) -> None:
    """Remove the links that are over. Never fails: what cannot be removed now is removed another time."""
    with suppress(OSError):
        folder = plugin / FOLDER
        if folder.is_symlink() or not folder.is_dir():
            return
        for entry in list(os.scandir(folder)):
            if TOKEN.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                age = now.timestamp() - entry.stat(follow_symlinks=False).st_mtime
                if age > LIFETIME.total_seconds():
                    _remove(Path(entry.path))


def _remove(place: Path) -> None:
    """Remove one folder of a link, if nothing is in it but what a link has: an index, a file, a half-made one. A
    symbolic link is removed, never followed."""
    with suppress(OSError):
        inside = list(os.scandir(place))
        strange = [entry for entry in inside if entry.is_dir(follow_symlinks=False)]
        if strange or (inside and INDEX not in {entry.name for entry in inside}):
            return
        for entry in sorted(inside, key=lambda one: one.name == INDEX):  # the index last: it tells whose it is
            Path(entry.path).unlink()
        place.rmdir()


def _make_folder(plugin: Path, token: str) -> Path:
    """The folder of one link, with an empty index in it and in the folder above. Raises OSError."""
    if not TOKEN.fullmatch(token):
        raise ValueError("a token has 16 bytes")
    folder = plugin / FOLDER
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link")
    folder.mkdir(mode=0o700, exist_ok=True)
    place = folder / token
    for one in (folder, place):
        if one == place:
            place.mkdir(mode=0o700)
        with suppress(FileExistsError):  # of a link before, or of one that is made at the same time
            os.close(os.open(one / INDEX, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return place


def _second_name(target: Path, final: Path, check: Callable[[], None]) -> None:
    try:
        _hard_link(target, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _symbolic_link_or_copy(target, final, check)
    if not stat.S_ISREG((target if final.is_symlink() else final).lstat().st_mode) or _begins_like_a_page(final):
        raise OSError(errno.ELOOP, "it was exchanged meanwhile")


def _symbolic_link_or_copy(target: Path, final: Path, check: Callable[[], None]) -> None:
    """A symbolic link would also serve what another export puts in the place of ``target`` later, so only what is no
    page whatever it holds gets one."""
    if target.suffix in NEVER_PAGES:
        with suppress(OSError, NotImplementedError):
            final.symlink_to(target)
            return
    _aside(final, lambda half: _copy(target, half, check))


def _hard_link(target: Path, final: Path) -> None:
    if os.link in os.supports_follow_symlinks:
        os.link(target, final, follow_symlinks=False)
    else:
        os.link(target, final)


def _aside(final: Path, make: Callable[[Path], None]) -> None:
    half = final.with_name(ASIDE)
    make(half)
    half.replace(final)


def _deadline(target: Path, clock: Callable[[], float]) -> Callable[[], None]:
    """What raises NoLink when the time is over."""
    end = clock() + SECONDS

    def check() -> None:
        if clock() > end:
            raise _too_large(target)

    return check


def _too_large(target: Path) -> NoLink:
    reason = "it is too large to be zipped now; export it as .zip or back up into one, or take it from there"
    return NoLink(path=target, reason=reason)


def _check_size(target: Path) -> None:
    total = 0
    for path in _files(target):
        total += path.lstat().st_size
        if total > MOST_ZIPPED:
            raise _too_large(target)


def _files(target: Path) -> Iterator[Path]:
    """``target``, or the files below it. Raises NoLink for what is no ordinary file."""
    if target.is_file():
        yield target
        return
    for base, folders, names in os.walk(target):
        for name in (*folders, *names):
            path = Path(base) / name
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise NoLink(path=target, reason=f"{name} in it is no ordinary file")
        yield from (Path(base) / name for name in sorted(names) if not OURS_HALF.fullmatch(name))


def _zip(target: Path, half: Path, check: Callable[[], None]) -> None:
    import zipfile  # noqa: PLC0415 - a status does without

    level = 1
    with zipfile.ZipFile(half, "x", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        half.chmod(0o600)
        for path in _files(target):
            name = path.relative_to(target.parent).as_posix()
            info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            packed = "/blobs/" in f"/{name}" or path.suffix.lower() in PICTURES
            info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            info._compresslevel = level  # type: ignore[attr-defined] # the only way before 3.13
            with path.open("rb") as source, archive.open(info, "w") as place:
                while chunk := source.read(_CHUNK):
                    check()
                    place.write(chunk)


def _copy(target: Path, half: Path, check: Callable[[], None]) -> None:
    with target.open("rb") as source, os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as place:
        while chunk := source.read(_CHUNK):
            check()
            place.write(chunk)


def _safe(name: str) -> str:
    """A file name that needs no quoting in an address, with the ending of ``name``."""
    stem, dot, ending = name.rpartition(".")
    return f"{_ODD.sub('_', stem).strip('.') or 'export'}{dot}{_ODD.sub('_', ending)}"
