"""MNIST and KMNIST from their public mirrors into the user's cache: once, whole, and quick to give up."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import filelock
import pooch
import requests

from mdnn_verify.anomaly.resume import TRANSPORT_ERRORS, ResumingDownloader, WrongContent
from mdnn_verify.anomaly.sources import MNIST_AGAINST_KMNIST, Source
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["OFFLINE_VARIABLE", "DownloadFailed", "cache_folder", "fill"]

OFFLINE_VARIABLE = "MDNN_OFFLINE"
_PATIENCE_SECONDS = 4.0
_GRACE_SECONDS = 0.5  # for a mirror of first choice that answers later than another


class DownloadFailed(MdnnVerifyError):
    """The cache is not filled; the message says why."""


def cache_folder() -> Path:
    """Where this user's downloads are kept; laid out as torchvision does."""
    return Path(pooch.os_cache("mdnn-verify"))


def fill(cache: Path, report: Callable[[str], None], sources: Sequence[Source] = MNIST_AGAINST_KMNIST.sources) -> None:
    """Download what ``cache`` lacks. One process at a time does it; others wait and find the result.

    A file gets its name only when its unpacked content has the SHA-256 it should have.
    Raises DownloadFailed, after a few seconds where there is no network; at once where MDNN_OFFLINE is set (not to 0).
    """
    if not _missing(cache, sources):
        return
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise DownloadFailed(f"not in {cache}, and {OFFLINE_VARIABLE} forbids a download")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache, report):
            if missing := _missing(cache, sources):
                report(f"downloading {len(missing)} files of MNIST and KMNIST into {cache}")
                _fetch_all(cache, missing, report)
    except OSError as error:
        raise DownloadFailed(f"{cache} cannot be written ({error})") from error


def _missing(cache: Path, sources: Sequence[Source]) -> list[Source]:
    return [source for source in sources if source.find(cache) is None]


@contextmanager
def _alone(cache: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock, which the system releases should this process die."""
    lock = filelock.FileLock(cache / "download.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        report("another process is downloading; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_all(cache: Path, missing: Sequence[Source], report: Callable[[str], None]) -> None:
    """All or, where no mirror of one of them answers, none: half of the data is of no use."""
    answering = _answering({source.mirrors for source in missing})
    for mirrors in dict.fromkeys(source.mirrors for source in missing):
        if not answering.intersection(mirrors):
            raise DownloadFailed(f"no answer from {' or '.join(mirrors)} within {_PATIENCE_SECONDS:g} s")
    for source in missing:
        # a mirror that has not answered yet is the last resort
        _fetch(cache, source, sorted(source.mirrors, key=lambda mirror: mirror not in answering), report)


def _fetch(cache: Path, source: Source, mirrors: Iterable[str], report: Callable[[str], None]) -> None:
    faults = []
    name = source.packed.as_posix()
    part = cache / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    # a deflate stream is never longer than its content by more than 5 bytes in 16,383, plus wrapping
    largest = math.ceil(math.prod(source.shape) * 1.001) + 4096
    for mirror in mirrors:
        url = mirror + source.packed.name
        # pooch's own check would be of the packed bytes, which each mirror may choose
        keeper = pooch.create(cache, base_url=mirror, registry={name: None}, urls={name: url})
        try:
            keeper.fetch(name, downloader=ResumingDownloader(part, largest, source.read))
        except (*TRANSPORT_ERRORS, WrongContent) as error:
            faults.append(str(error))
            report(f"{url} failed: {error}")
        else:
            return
    raise DownloadFailed(f"no mirror gave {source} ({'; '.join(faults)})")


def _answering(groups: Collection[tuple[str, ...]]) -> set[str]:
    """The mirrors that answer while one of each group is still missing, or soon after, and before patience ends.

    In threads that nothing waits for: looking up a name can hang for longer than any time limit of a request.
    """
    answers: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
    unheard = {mirror for group in groups for mirror in group}
    for mirror in unheard:
        threading.Thread(target=_answer, args=(mirror, answers), daemon=True).start()
    answered: set[str] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while unheard and all((answered | unheard).intersection(group) for group in groups):
        try:
            mirror, well = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        unheard.remove(mirror)
        if well:
            answered.add(mirror)
        if all(answered.intersection(group) for group in groups):
            deadline = min(deadline, time.monotonic() + _GRACE_SECONDS)
    return answered


def _answer(mirror: str, answers: queue.SimpleQueue[tuple[str, bool]]) -> None:
    """Any answer will do, an HTTP error too: what counts is that somebody is there."""
    try:
        requests.head(mirror, timeout=_PATIENCE_SECONDS, allow_redirects=False).close()
    except TRANSPORT_ERRORS:
        answers.put((mirror, False))
    else:
        answers.put((mirror, True))
