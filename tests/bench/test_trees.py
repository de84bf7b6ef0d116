from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mdnn_verify.bench.trees import baseline_tree, commit_of, digest_of, installed_tree, tree_at
from mdnn_verify.errors import UsageError


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "mdnn_verify").mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "empty")
    git(folder, "tag", "empty")
    (folder / "mdnn_verify" / "__init__.py").write_text("LENGTH = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


def test_a_revision_is_exported_as_it_was(repository: Path) -> None:
    (repository / "mdnn_verify" / "__init__.py").write_text("LENGTH = 2\n")
    with baseline_tree("HEAD", repository) as tree:
        assert (tree.folder / "mdnn_verify" / "__init__.py").read_text() == "LENGTH = 1\n"
        assert tree.label.startswith("HEAD (")
        assert tree.digest != digest_of(repository / "mdnn_verify")
    assert not tree.folder.exists(), "the export is temporary"


def test_a_folder_is_taken_as_it_is_and_edits_come_too_late(repository: Path) -> None:
    with baseline_tree(str(repository)) as tree:
        (repository / "mdnn_verify" / "__init__.py").write_text("LENGTH = 9\n")
        assert tree.label == str(repository.resolve())
        assert (tree.folder / "mdnn_verify" / "__init__.py").read_text() == "LENGTH = 1\n"
        assert digest_of(tree.folder / "mdnn_verify") == tree.digest
    assert not tree.folder.exists()


@pytest.mark.parametrize(
    ("name", "words"), [("nosuch", "neither a folder"), ("--output=x", "neither a folder"), ("empty", "holds no")]
)
def test_what_is_no_version_is_refused(repository: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words), baseline_tree(name, repository):
        pass


def test_a_folder_without_the_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no mdnn_verify/"):
        tree_at(tmp_path)


def test_commit_says_when_files_were_changed(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = git(repository, "rev-parse", "HEAD")[:10]
    assert commit_of(repository) == head
    installed = tmp_path / "site-packages"
    (installed / "mdnn_verify").mkdir(parents=True)
    (installed / "mdnn_verify" / "__init__.py").write_text("LENGTH = 1\n")
    monkeypatch.chdir(tmp_path)
    assert commit_of(installed) == "unknown"
    monkeypatch.chdir(repository)
    assert commit_of(installed) == head, "installed from this checkout, with equal files"
    (repository / "mdnn_verify" / "__init__.py").write_text("LENGTH = 3\n")
    assert commit_of(repository) == f"{head}-dirty"
    assert commit_of(installed) == "unknown"


def test_the_running_tree_is_the_one_that_is_imported() -> None:
    import mdnn_verify

    assert mdnn_verify.__file__ is not None
    assert installed_tree().folder == Path(mdnn_verify.__file__).resolve().parents[1]
