"""Source trees to compare: a folder that holds ``mdnn_verify/``, or a git revision exported into one."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mdnn_verify.errors import UsageError

__all__ = ["Tree", "baseline_tree", "commit_of", "digest_of", "frozen", "installed_tree", "tree_at"]

PACKAGE = "mdnn_verify"
LABEL = 10  # characters of a commit


@dataclass(frozen=True)
class Tree:
    """``folder`` holds ``mdnn_verify/``; ``label`` is what a reader calls it; ``digest`` is of all its Python files."""

    folder: Path
    label: str
    digest: str


def tree_at(folder: Path, label: str = "") -> Tree:
    """The tree in a folder. Raises UsageError if it holds no package."""
    folder = folder.resolve()
    if not (folder / PACKAGE / "__init__.py").is_file():
        raise UsageError(f"{folder} holds no {PACKAGE}/ to compare")
    return Tree(folder, label or str(folder), digest_of(folder / PACKAGE))


def installed_tree() -> Tree:
    """The one that is running."""
    folder = Path(__file__).resolve().parents[2]
    return tree_at(folder, f"running ({commit_of(folder)})")


@contextmanager
def frozen(tree: Tree) -> Iterator[Tree]:
    """A copy while the context is open: whoever edits the files meanwhile does not change what is measured."""
    with tempfile.TemporaryDirectory(prefix="mdnn-tree-") as temporary:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(tree.folder / PACKAGE, Path(temporary) / PACKAGE, ignore=ignored)
        yield tree_at(Path(temporary), tree.label)


@contextmanager
def baseline_tree(name: str, repository: Path | None = None) -> Iterator[Tree]:
    """A folder, or else a git revision of ``repository`` (the current folder's), copied while the context is open.

    Raises UsageError for a name that is neither.
    """
    folder = Path(name)
    if (folder / PACKAGE / "__init__.py").is_file():
        with frozen(tree_at(folder)) as copy:
            yield copy
        return
    repository = repository or Path.cwd()
    commit = _commit(name, repository)
    with tempfile.TemporaryDirectory(prefix="mdnn-baseline-") as temporary:
        _export(commit, repository, Path(temporary))
        yield tree_at(Path(temporary), commit[:LABEL] if commit.startswith(name) else f"{name} ({commit[:LABEL]})")


def digest_of(package: Path) -> str:
    """sha256 over the names and contents of every Python file of the package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def commit_of(folder: Path) -> str:
    """The commit whose package is in ``folder``, "-dirty" if it has been changed; "unknown" if that cannot be told.

    A package installed from a checkout is recognised if the current folder is that checkout, with equal files.
    """
    for candidate in (folder, Path.cwd()):
        tracked = _git(candidate, "ls-files", "--error-unmatch", f"{PACKAGE}/__init__.py")
        if tracked is None or digest_of(candidate / PACKAGE) != digest_of(folder / PACKAGE):
            continue
        head = _git(candidate, "rev-parse", "HEAD")
        if head is not None:
            changed = _git(candidate, "status", "--porcelain", "--", PACKAGE)
            return head.decode().strip()[:LABEL] + ("-dirty" if changed else "")
    return "unknown"


def _commit(name: str, repository: Path) -> str:
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found is None:
        raise UsageError(
            f"baseline {name!r} is neither a folder that holds {PACKAGE}/ nor a git revision of {repository}"
        )
    return found.decode().strip()


def _export(commit: str, repository: Path, target: Path) -> None:
    top = _git(repository, "rev-parse", "--show-toplevel")
    archive = None if top is None else _git(Path(top.decode().strip()), "archive", commit, PACKAGE)
    if archive is None:
        raise UsageError(f"the revision {commit[:LABEL]} of {repository} holds no {PACKAGE}/ to compare with")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        # Python before 3.11.4 has no filters; what git has archived comes from the user's own repository
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(target)


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git answers, None if it fails or there is no git."""
    try:
        answer = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout
