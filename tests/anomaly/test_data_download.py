"""Downloads, against a server on this machine: fresh, broken, resumed, ignored ranges, wrong content, two at once."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import mdnn_verify
from mdnn_verify.anomaly import download, idx
from mdnn_verify.anomaly.sources import Source

SHAPE = (300, 28, 28)
VALUES = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
CONTENT = idx.header(SHAPE) + VALUES.tobytes()
PACKED = gzip.compress(CONTENT, mtime=0)
NAME = "t10k-images-idx3-ubyte"


@dataclass
class Mirror:
    """What a server does, and what it did. ``breaks`` are the numbers of bytes after which replies break off."""

    content: bytes = PACKED
    breaks: list[int] = field(default_factory=list)
    honours_range: bool = True
    status: int = 200
    encoding: str = ""
    length_told: bool = True
    pause: float = 0.0
    requests: list[str] = field(default_factory=list)
    served: int = 0
    address: str = ""


def handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(403)
            self.end_headers()

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            mirror.requests.append(asked)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked).group(1)) if asked and mirror.honours_range else 0
            if mirror.status != 200 or start >= len(mirror.content):
                self.send_error(mirror.status if mirror.status != 200 else 416)
                return
            body = mirror.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(mirror.content) - 1}/{len(mirror.content)}")
            if mirror.encoding:
                self.send_header("Content-Encoding", mirror.encoding)
            if mirror.length_told:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            time.sleep(mirror.pause)
            body = body[: mirror.breaks.pop(0)] if mirror.breaks else body
            self.wfile.write(body)
            mirror.served += len(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.delenv("MDNN_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers: list[ThreadingHTTPServer] = []

    def start(**behaviour: object) -> Mirror:
        mirror = Mirror(**behaviour)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(mirror))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        mirror.address = f"http://127.0.0.1:{server.server_address[1]}/"
        return mirror

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def source(*mirrors: Mirror | str) -> Source:
    addresses = tuple(mirror if isinstance(mirror, str) else mirror.address for mirror in mirrors)
    return Source("MNIST", NAME, SHAPE, hashlib.sha256(CONTENT).hexdigest(), addresses)


def fill(cache: Path, wanted: Source) -> list[str]:
    sentences: list[str] = []
    download.fill(cache, sentences.append, [wanted])
    found = wanted.find(cache)
    assert found is not None
    np.testing.assert_array_equal(wanted.read(found), VALUES)
    left = sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")
    assert left == [f"{NAME}.gz"], "nothing is left beside the file"
    return sentences


def part_of(cache: Path, content: bytes) -> Path:
    part = cache / "MNIST" / "raw" / f"{NAME}.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_a_fresh_download_serves_every_byte_once(tmp_path: Path, serve) -> None:
    mirror = serve()
    fill(tmp_path / "cache", source(mirror))
    assert mirror.requests == [""]
    assert mirror.served == len(PACKED)


def test_a_cache_that_is_full_asks_nobody(tmp_path: Path, serve) -> None:
    mirror = serve()
    fill(tmp_path, source(mirror))
    fill(tmp_path, source(mirror))
    assert len(mirror.requests) == 1


@pytest.mark.parametrize("length_told", [True, False])
def test_a_broken_connection_goes_on_where_it_was(tmp_path: Path, serve, length_told: bool) -> None:
    mirror = serve(breaks=[70_000, 50_001], length_told=length_told)
    fill(tmp_path, source(mirror)) if length_told else fill_after_unknown_length(tmp_path, mirror)
    if length_told:
        assert mirror.requests == ["", "bytes=70000-", "bytes=120001-"]
        assert mirror.served == len(PACKED)


def fill_after_unknown_length(cache: Path, mirror: Mirror) -> None:
    """A server that tells no length ends its replies by closing: only the digest shows that one broke off."""
    with pytest.raises(download.DownloadFailed, match="truncated"):
        download.fill(cache, lambda _: None, [source(mirror)])
    mirror.breaks.clear()
    fill(cache, source(mirror))


def test_a_killed_download_goes_on_in_the_next_process(tmp_path: Path, serve) -> None:
    part_of(tmp_path, PACKED[:100_000])
    mirror = serve()
    fill(tmp_path, source(mirror))
    assert mirror.requests == ["bytes=100000-"]
    assert mirror.served == len(PACKED) - 100_000


def test_a_part_that_is_already_whole_costs_no_byte(tmp_path: Path, serve) -> None:
    part_of(tmp_path, PACKED)
    mirror = serve()
    fill(tmp_path, source(mirror))
    assert mirror.requests == [f"bytes={len(PACKED)}-"]
    assert mirror.served == 0


def test_a_server_that_ignores_ranges_starts_again(tmp_path: Path, serve) -> None:
    mirror = serve(breaks=[70_000], honours_range=False)
    fill(tmp_path, source(mirror))
    assert mirror.requests == ["", "bytes=70000-"]
    assert mirror.served == len(PACKED) + 70_000


def test_a_server_that_always_breaks_at_the_same_byte_is_given_up(tmp_path: Path, serve) -> None:
    mirror = serve(breaks=[70_000] * 100, honours_range=False)
    with pytest.raises(download.DownloadFailed, match=r"70,?000"):
        fill(tmp_path, source(mirror))
    assert len(mirror.requests) == 2


def test_the_rest_may_come_from_the_next_mirror(tmp_path: Path, serve) -> None:
    first, second = serve(breaks=[70_000, 0]), serve()
    fill(tmp_path, source(first, second))
    assert second.requests == ["bytes=70000-"]


def test_a_foreign_beginning_is_thrown_away(tmp_path: Path, serve) -> None:
    """Another packing's first bytes under the part's name: the whole comes again, once."""
    part_of(tmp_path, gzip.compress(CONTENT, compresslevel=1, mtime=7)[:5000])
    mirror = serve()
    fill(tmp_path, source(mirror))
    assert mirror.requests == ["bytes=5000-", ""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>log in first</html>", "not an IDX file"),
        (gzip.compress(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])), "SHA-256"),
        (gzip.compress(CONTENT[:-1]), "truncated"),
        (PACKED[:-9], "truncated"),
    ],
    ids=["page", "one bit", "short", "cut"],
)
def test_wrong_content_never_takes_the_name(tmp_path: Path, serve, content: bytes, said: str) -> None:
    mirror = serve(content=content)
    with pytest.raises(download.DownloadFailed, match=said):
        download.fill(tmp_path, lambda _: None, [source(mirror)])
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
    assert len(mirror.requests) == 1


def test_wrong_content_and_a_missing_file_lead_to_the_next_mirror(tmp_path: Path, serve) -> None:
    mirrors = [serve(content=b"no"), serve(status=404), serve(status=503), serve()]
    sentences = fill(tmp_path, source(*mirrors))
    assert [len(mirror.requests) for mirror in mirrors] == [1, 1, 1, 1]
    assert sum("failed" in sentence for sentence in sentences) == 3
    assert any("404" in sentence for sentence in sentences)


def test_an_endless_reply_is_cut_short(tmp_path: Path, serve) -> None:
    mirror = serve(content=bytes(50_000_000))
    with pytest.raises(download.DownloadFailed):
        fill(tmp_path, source(mirror))
    assert mirror.served == 0, "the server was still sending when the connection closed"


def test_another_packing_and_an_encoding_on_the_way_do_no_harm(tmp_path: Path, serve) -> None:
    fill(tmp_path / "a", source(serve(content=gzip.compress(CONTENT, compresslevel=1))))
    fill(tmp_path / "b", source(serve(encoding="gzip")))
    fill(tmp_path / "c", source(serve(content=CONTENT)))


def test_a_mirror_that_is_down_costs_nothing(tmp_path: Path, serve) -> None:
    start = time.monotonic()
    fill(tmp_path, source(closed_port(), serve()))
    assert time.monotonic() - start < 3


def test_without_network_it_is_over_in_seconds(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PATIENCE_SECONDS", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mute = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for mirrors in ([closed_port()], [mute], ["http://name.invalid/", closed_port()]):
            start = time.monotonic()
            with pytest.raises(download.DownloadFailed, match=f"no answer from {mirrors[0]}"):
                fill(tmp_path, source(*mirrors))
            assert time.monotonic() - start < 2


def test_no_data_set_is_begun_when_the_other_cannot_be_had(tmp_path: Path, serve) -> None:
    mirror = serve()
    other = Source("KMNIST", NAME, SHAPE, "0" * 64, (closed_port(),))
    with pytest.raises(download.DownloadFailed, match="no answer"):
        download.fill(tmp_path, lambda _: None, [source(mirror), other])
    assert mirror.requests == []


def test_offline_forbids_and_zero_does_not(tmp_path: Path, serve, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = serve()
    monkeypatch.setenv("MDNN_OFFLINE", "1")
    with pytest.raises(download.DownloadFailed, match="MDNN_OFFLINE forbids"):
        fill(tmp_path, source(mirror))
    assert mirror.requests == []
    monkeypatch.setenv("MDNN_OFFLINE", "0")
    fill(tmp_path, source(mirror))


def test_a_cache_that_cannot_be_written_is_a_reason(tmp_path: Path, serve) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(download.DownloadFailed, match="cannot be written"):
        fill(tmp_path / "file" / "cache", source(serve()))


IN_A_PROCESS = """
import json, sys
from pathlib import Path
from mdnn_verify.anomaly import download
from mdnn_verify.anomaly.sources import Source
name, file, shape, digest, mirrors = json.loads(sys.argv[2])
wanted, said = Source(name, file, tuple(shape), digest, tuple(mirrors)), []
print("ready", flush=True)
sys.stdin.readline()
download.fill(Path(sys.argv[1]), said.append, [wanted])
print(" ".join(said), flush=True)
"""


def test_of_two_processes_one_downloads_and_the_other_waits(tmp_path: Path, serve) -> None:
    mirror = serve(pause=1.0)
    wanted = source(mirror)
    plain = json.dumps(["MNIST", NAME, SHAPE, hashlib.sha256(CONTENT).hexdigest(), [mirror.address]])
    command = [sys.executable, "-c", IN_A_PROCESS, str(tmp_path), plain]
    root = str(Path(mdnn_verify.__file__).parents[1])
    environment = {name: value for name, value in os.environ.items() if name != "MDNN_OFFLINE"} | {"PYTHONPATH": root}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert wanted.find(tmp_path) is not None
    assert sorted("waiting for it" in sentence for sentence in said) == [False, True]
    assert mirror.requests == [""]
    assert mirror.served == len(PACKED)


def test_a_silent_mirror_of_first_choice_costs_little(tmp_path: Path, serve) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        fill(tmp_path, source(f"http://127.0.0.1:{silent.getsockname()[1]}/", serve()))
    assert time.monotonic() - start < 3
