"""A downloader for pooch that goes on where a broken connection, or a killed process, left off."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
import urllib3
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from mdnn_verify.errors import UsageError

__all__ = ["TRANSPORT_ERRORS", "ResumingDownloader", "WrongContent"]

TRANSPORT_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError)
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 10.0
_ATTEMPTS = 10
_CHUNK = 1 << 16


class WrongContent(Exception):
    """The server answered, with something that is not the file."""


class ResumingDownloader:
    """What pooch calls as ``downloader(url, output_file, pooch)``.

    Bytes are gathered in ``part``, which stays when a connection breaks; ``check`` raises UsageError unless the whole
    of it is the file that was meant; only then it becomes ``output_file``. No more than ``largest``
    bytes are taken, up to a block.
    Raises one of TRANSPORT_ERRORS, WrongContent, or OSError where the disk is at fault.
    """

    def __init__(self, part: Path, largest: int, check: Callable[[Path], object]) -> None:
        self.part = part
        self.largest = largest
        self.check = check

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        resumed = self._size() > 0
        self._receive(url)
        try:
            self._checked(url)
        except WrongContent:
            # the beginning may have been another file's, or another mirror's packing of this one
            if not resumed:
                raise
            self._receive(url)
            self._checked(url)
        os.replace(self.part, output_file)

    def _checked(self, url: str) -> None:
        try:
            self.check(self.part)
        except UsageError as error:
            self.part.unlink()
            raise WrongContent(f"{url}: {error}") from error

    def _receive(self, url: str) -> None:
        """Ask again for the rest as long as every attempt brings some of it."""
        attempts = 0
        while True:
            before, attempts = self._size(), attempts + 1
            try:
                return self._ask(url, before)
            except TRANSPORT_ERRORS:
                if self._size() <= before or attempts == _ATTEMPTS:
                    raise

    def _ask(self, url: str, offset: int) -> None:
        # identity: the bytes of the file itself, not packed once more on the way
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with requests.get(url, headers=headers, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)) as response:
            if offset and response.status_code == requests.codes.requested_range_not_satisfiable:
                return  # nothing is left to send: whether what is here is the file, ``check`` says
            response.raise_for_status()
            goes_on = response.status_code == requests.codes.partial_content
            if goes_on and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
                raise requests.ConnectionError(f"{url}: sent another range than was asked for")
            self._append(url, response, offset if goes_on else 0)

    def _append(self, url: str, response: requests.Response, offset: int) -> None:
        """Write what comes behind the first ``offset`` bytes; 0 where the server sends the whole file anyway."""
        length = response.headers.get("Content-Length", "")
        total = offset + int(length) if length.isdecimal() else None
        with self.part.open("ab" if offset else "wb") as file, _bar(self.part.stem, offset, total) as advance:
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                file.write(chunk)
                advance(len(chunk))
                offset += len(chunk)
                if offset > self.largest:
                    return  # not the file, as ``check`` will say
        if total is not None and offset < total:
            raise requests.ConnectionError(f"{url}: the connection ended after {offset:,} of {total:,} bytes")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0


@contextmanager
def _bar(name: str, done: int, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, completed=done, total=total)
        yield lambda count: progress.advance(task, count)
