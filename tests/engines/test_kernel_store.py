"""What the engine of machine-checked proofs keeps, and when it believes it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mdnn_verify.engines import Context
from mdnn_verify.engines.kernel import INSTALL, MachineChecked, store
from mdnn_verify.engines.kernel.coq import Installation, OutOfTime
from mdnn_verify.engines.kernel.store import Store, hash_of
from mdnn_verify.verdicts import Status

COQ = all(shutil.which(name) for name in ("coqc", "coqchk"))
needs_coq = pytest.mark.skipif(not COQ, reason=f"Coq is not installed: {INSTALL}")
FILES = {
    "shared/base": "(** Base. *)\nLemma one : 1 = 1.\nProof. reflexivity. Qed.\n",
    "shared/next": "(** Next. *)\nFrom MDNN.shared Require Import base.\nLemma two : 1 = 1.\nProof. exact one. Qed.\n",
    "a/uses": "(** T. Scope: s. *)\nFrom MDNN.shared Require Import next.\n(** D. *)\nTheorem t : 1 = 1.\n"
    "Proof. exact two. Qed.\nDefinition t_witness := t.\n",
    "b/alone": "(** T. Scope: s. *)\n(** D. *)\nTheorem t : 2 = 2.\nProof. reflexivity. Qed.\nDefinition t_witness := t.\n",
}
FALSE = FILES["b/alone"].replace("2 = 2", "2 = 3")


@pytest.fixture
def calls(monkeypatch):
    """Every file that Coq compiles and every module that coqchk checks, in order."""
    made = []
    compile_, recheck = Installation.compile, Installation.recheck

    def compiling(self, file, paths, deadline):
        made.append(file.stem)
        return compile_(self, file, paths, deadline)

    def checking(self, modules, paths, deadline, **options):
        made.extend(modules)
        return recheck(self, modules, paths, deadline, **options)

    monkeypatch.setattr(Installation, "compile", compiling)
    monkeypatch.setattr(Installation, "recheck", checking)
    return made


class Library:
    def __init__(self, folder):
        self.root, self.cache = folder / "formal", folder / "cache"
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / f"{name}.v"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def decide(self, name):
        verdict = MachineChecked(self.root / f"{name}.v", self.root, self.cache).decide(Context("test", timeout=60))
        return verdict.status, verdict.evidence.get("cached")

    def files(self, pattern):
        return [path for path in self.cache.glob(pattern) if path.is_file()]


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path)


@needs_coq
def test_what_changed_is_compiled_and_only_that(library, calls):
    assert library.decide("a/uses") == library.decide("b/alone") == (Status.PROVED, False)
    assert [name for name in calls if "." not in name] == [
        *("base", "next", "uses", "mdnn_questions"),
        *("alone", "mdnn_questions"),
    ]
    assert [name for name in calls if "." in name] == [
        *("MDNN.shared.base", "MDNN.shared.next", "MDNN.a.uses"),
        "MDNN.b.alone",
    ]
    calls.clear()
    assert library.decide("a/uses") == library.decide("b/alone") == (Status.PROVED, True)
    assert calls == []
    library.write("b/alone", FILES["b/alone"] + "(* edited *)")
    assert (library.decide("a/uses"), library.decide("b/alone")) == ((Status.PROVED, True), (Status.PROVED, False))
    assert calls == ["alone", "MDNN.b.alone", "mdnn_questions"]
    calls.clear()
    library.write("shared/base", FILES["shared/base"] + "(* edited *)")
    assert (library.decide("a/uses"), library.decide("b/alone")) == ((Status.PROVED, False), (Status.PROVED, True))
    assert [name for name in calls if "." not in name] == ["base", "next", "uses", "mdnn_questions"]
    calls.clear()
    library.write("shared/base", FILES["shared/base"])
    assert library.decide("a/uses") == (Status.PROVED, True), "an earlier version is still there"


@needs_coq
def test_another_engine_or_another_coq_checks_again(library, monkeypatch):
    assert library.decide("b/alone") == (Status.PROVED, False)
    from mdnn_verify.engines.kernel import workshop

    monkeypatch.setattr(workshop, "engine_stamp", lambda: "another")
    assert library.decide("b/alone") == (Status.PROVED, False)


def edited_record(place):
    path = place / "record.json"
    record = json.loads(path.read_text())
    record["theorems"][0]["statement"] = "something better"
    path.write_text(json.dumps(record))


def record_that_is_no_json(place):
    (place / "record.json").write_text("{")


def record_of_another_kind(place):
    (place / "record.json").write_text("[]")


def edited_vo(place):
    path = next(place.glob("*.vo"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def no_vo(place):
    next(place.glob("*.vo")).unlink()


def another_vo(place):
    (place / "evil.vo").write_bytes(b"evil")


@needs_coq
@pytest.mark.parametrize(
    "damage", [edited_record, record_that_is_no_json, record_of_another_kind, edited_vo, no_vo, another_vo]
)
def test_a_damaged_cache_is_made_again(library, damage):
    assert library.decide("b/alone") == (Status.PROVED, False)
    (record,) = library.files("MDNN.b.alone/*/record.json")
    damage(record.parent)
    assert library.decide("b/alone") == (Status.PROVED, False)
    (record,) = library.files("MDNN.b.alone/*/record.json")
    assert json.loads(record.read_text())["theorems"][0]["statement"] == "2 = 2"
    assert library.decide("b/alone") == (Status.PROVED, True)


@needs_coq
def test_a_damaged_shared_file_is_made_again_before_it_is_used(library, calls):
    library.decide("a/uses")
    (record,) = library.files("MDNN.shared.base/*/record.json")
    edited_vo(record.parent)
    calls.clear()
    assert library.decide("a/uses")[0] is Status.PROVED
    assert calls[:2] == ["base", "MDNN.shared.base"]


@needs_coq
def test_the_record_of_a_proof_does_not_speak_for_another_text(library, monkeypatch):
    library.decide("b/alone")
    (record,) = library.files("MDNN.b.alone/*/record.json")
    asked = []
    get = Store.get

    def listening(self, module, key, *rest):
        asked.append(self.place(module, key))
        return get(self, module, key, *rest)

    monkeypatch.setattr(Store, "get", listening)
    library.write("b/alone", FALSE)
    assert library.decide("b/alone") == (Status.REFUTED, None)
    shutil.copytree(record.parent, asked[-1])
    assert library.decide("b/alone") == (Status.REFUTED, None)
    assert not asked[-1].exists()


@needs_coq
def test_two_processes_at_once_do_the_work_once(library):
    code = (
        "import sys; from pathlib import Path; from mdnn_verify.engines import Context;"
        "from mdnn_verify.engines.kernel import MachineChecked; root = Path(sys.argv[1]);"
        "v = MachineChecked(root / 'a' / 'uses.v', root, Path(sys.argv[2])).decide(Context('x', timeout=60));"
        "print(v.status, v.evidence['cached'])"
    )
    package = Path(store.__file__).parents[3]
    command = [sys.executable, "-c", code, str(library.root), str(library.cache)]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    answers = sorted(process.communicate(timeout=100)[0].strip() for process in running)
    assert answers == ["PROVED False", "PROVED True"]


def filled(content):
    def make(folder):
        (folder / "x.vo").write_bytes(content)
        return {"made": content.decode()}

    return make


def failing(folder):
    (folder / "x.vo").write_bytes(b"half")
    raise ZeroDivisionError


def test_nothing_is_kept_of_what_failed(tmp_path):
    kept = Store(tmp_path)
    with pytest.raises(ZeroDivisionError):
        kept.get("m", "key", {}, failing, time.monotonic() + 5)
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["lock"]


def test_what_was_interrupted_is_begun_anew(tmp_path):
    (tmp_path / "m" / "unfinished").mkdir(parents=True)
    (tmp_path / "m" / "unfinished" / "stale.vo").write_bytes(b"stale")
    record, cached = Store(tmp_path).get("m", "key", {}, filled(b"1"), time.monotonic() + 5)
    assert (list(record["files"]), cached) == (["x.vo"], False)


def test_a_record_made_with_other_shared_files_is_made_again(tmp_path):
    kept, soon = Store(tmp_path), time.monotonic() + 5
    assert kept.get("m", "key", {"s": "1"}, filled(b"1"), soon)[1] is False
    assert kept.get("m", "key", {"s": "1"}, filled(b"1"), soon)[1] is True
    assert kept.get("m", "key", {"s": "2"}, filled(b"2"), soon)[0]["made"] == "2"


def test_only_the_newest_versions_are_kept(tmp_path):
    for i in range(12):
        Store(tmp_path).get("m", f"key{i}", {}, filled(b"1"), time.monotonic() + 5)
        os.utime(tmp_path / "m" / f"key{i}", (i, i))
    Store(tmp_path).get("m", "last", {}, filled(b"1"), time.monotonic() + 5)
    assert sorted(path.name for path in (tmp_path / "m").iterdir() if path.is_dir()) == sorted(
        ["last", *(f"key{i}" for i in range(5, 12))]
    )


def test_a_lock_that_is_not_released_is_waited_for_no_longer_than_allowed(tmp_path):
    def nested(_):
        Store(tmp_path).get("m", "key", {}, filled(b"1"), time.monotonic() + 0.2)

    with pytest.raises(OutOfTime, match="another process"):
        Store(tmp_path).get("m", "key", {}, nested, time.monotonic() + 5)


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Store().folder == tmp_path / "mdnn-verify" / "formal"
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1}) != hash_of({"a": 1, "b": 3})


def test_a_cache_that_cannot_be_written_is_one_clear_message(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "alone.v").write_text(FILES["b/alone"])
    claim = MachineChecked(tmp_path / "b" / "alone.v", tmp_path, tmp_path / "file")
    verdict = claim.decide(Context("test"))
    assert verdict.status is (Status.ERROR if COQ else Status.SKIPPED)


def test_a_cache_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/formal cannot be made: .*XDG_CACHE_HOME"):
        Store(tmp_path / "file" / "formal").get("MDNN.a", "key", {}, lambda _: {}, time.monotonic() + 10)
