"""A user's implementation: found, loaded, and called so that what it does wrong becomes a finding."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mdnn_verify.checking.results import OVERWRITTEN, Broken, changed, detached, overwritten, plain, same, structured
from mdnn_verify.contract import Contract, Terms
from mdnn_verify.errors import UnknownName, UsageError

__all__ = ["OVERWRITTEN", "Broken", "Subject", "load"]

RECENT = 40  # calls whose arguments are kept: one of them may be what spoils a later one


def load(address: str) -> Callable[..., Any]:
    """The callable that ``FILE.py:NAME`` or ``package.module:NAME`` names; NAME may have dots.

    Runs the file as the user's own code. Raises UsageError for a missing file, a module or file that does not import, a
    name that it does not have (the nearest is suggested), and for something that cannot be called.
    """
    place, _, name = address.rpartition(":")
    if not place or not name:
        raise UsageError(f"{address!r} names no callable; expected FILE.py:CALLABLE or package.module:callable")
    found: Any = _module(place)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [known for known in vars(found) if not known.startswith("_")] if hasattr(found, "__dict__") else []
            raise UnknownName(f"callable in {place}:", part, known)
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"{address} is a {type(found).__name__}, which cannot be called")
    if inspect.isclass(found):
        raise UsageError(f"{address} is a class; name an instance of it (layer = {name}(...)) or a function")
    return found  # type: ignore[no-any-return]


def _module(place: str) -> Any:
    if not place.endswith(".py"):
        sys.path.insert(0, "")
        return _imported(place, lambda: importlib.import_module(place))
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"no file {place}")
    name = f"mdnn_verify_subject_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))  # as if it were run: its neighbours can be imported
    _imported(place, lambda: spec.loader.exec_module(module))  # type: ignore[union-attr]
    return module


def _imported(place: str, run: Callable[[], Any]) -> Any:
    try:
        return run()
    except BaseException as error:  # noqa: BLE001 - the user's file may raise anything, SystemExit included
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"line {frame.lineno}" for frame in frames if frame.filename.endswith(place)]
        at = f" ({where[-1]})" if where else ""
        raise UsageError(f"{place} does not import{at}: {type(error).__name__}: {error}") from None


class Subject:
    """The implementation as laws call it: with copies of the arguments, its result checked for shape and precision.

    Raises Broken for an exception, a changed argument, a wrong structure, shape or dtype, NaN or an infinity that is
    not among what the contract allows.
    """

    def __init__(self, function: Callable[..., Any], contract: Contract, terms: Terms) -> None:
        self.function = function
        self.contract = contract
        self.terms = terms
        self.calls = 0
        self.process = os.getpid()
        self.recent: deque[Mapping[str, Any]] = deque(maxlen=RECENT)  # arguments of the latest calls
        self._implemented: dict[str, bool] = {}
        self._earlier: dict[tuple[Any, ...], tuple[Mapping[str, Any], Any, Any]] = {}  # by the shapes of the arguments
        self._fits()

    def __call__(self, *arguments: Any) -> Any:
        """The result for these arguments, as tensors without a graph (or floats), in the contract's structure."""
        return detached(self.raw(*arguments))

    def raw(self, *arguments: Any) -> Any:
        """The same with whatever graph the result carries."""
        handed = self.copies(arguments)
        kept = dict(zip(self.contract.parameters, [copy.deepcopy(plain(one)) for one in handed], strict=True))
        self.recent.append(kept)
        try:
            result = self._result(handed)
            for (name, before), after in zip(kept.items(), handed, strict=True):
                if not same(before, plain(after)):
                    raise Broken(f"it changes its argument {name}", changed(name, self.contract))
            found = self._structured(result, arguments)
            self._keep(kept, result)
            return found
        except Broken as broken:
            broken.arguments = kept if broken.arguments is None else broken.arguments
            raise

    def on(self, handed: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The result, without a graph, for ``handed``, which holds the numbers of ``arguments`` and is not copied."""
        return detached(self._structured(self._result(handed), arguments))

    def copies(self, arguments: Sequence[Any]) -> list[Any]:
        """The arguments as an implementation gets them, its own to keep."""
        return [self._handed(argument) for argument in arguments]

    def attempt(self, function: Callable[..., Any], *arguments: Any) -> Any | None:
        """What ``function`` gives, None where a call in it breaks the contract or has no derivative."""
        try:
            return function(*arguments)
        except (Broken, RuntimeError):
            return None

    @contextmanager
    def showing(self, lines: str) -> Iterator[None]:
        """Calls inside that break the contract are shown by ``lines``, which set ``observed`` and ``expected``."""
        try:
            yield
        except Broken as broken:
            if broken.reason == OVERWRITTEN:  # it speaks of two calls, and shows both
                raise
            raise Broken(broken.reason, lines, broken.trace) from None

    def attribute(self, name: str) -> Callable[..., Any] | None:
        """An optional method of the implementation, such as ``inverse``."""
        found = getattr(self.function, name, None)
        return found if callable(found) else None

    def implements(self, name: str, *arguments: Any) -> bool:
        """Whether there is such a method that does more than raise NotImplementedError; decided by its first call."""
        method = self.attribute(name)
        if method is None:
            return False
        if name not in self._implemented:
            try:
                self.guarded(method, *arguments)
                self._implemented[name] = True
            except Broken as broken:
                self._implemented[name] = "raises NotImplementedError" not in broken.reason
        return self._implemented[name]

    def guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call something of the user's; whatever it raises is a finding, and a process it forks ends here."""
        self.calls += 1
        try:
            with torch.enable_grad():
                return function(*arguments)
        except BaseException as error:  # noqa: BLE001 - nor is there anything that it may not raise
            if os.getpid() != self.process:
                os._exit(0)
            trace = "".join(traceback.format_exception(error)[-8:])
            raise Broken(f"it raises {type(error).__name__} on legal input: {_line(error)}", "", trace) from None
        finally:
            if os.getpid() != self.process:  # the implementation has forked: the copy must not go on checking
                os._exit(0)

    def _result(self, handed: Sequence[Any]) -> Any:
        return self.guarded(self.function, *handed)

    def _structured(self, result: Any, arguments: Sequence[Any]) -> Any:
        expected = self.contract.returns(dict(zip(self.contract.parameters, arguments, strict=True)))
        return structured(result, expected, self.terms, self.contract)

    def _keep(self, arguments: Mapping[str, Any], result: Any) -> None:
        """The latest result and the latest for arguments of each shape must be what they were."""
        shapes = tuple(getattr(value, "shape", None) for value in arguments.values())
        latest = next(reversed(self._earlier), shapes)
        for key in {latest, shapes}:
            before, earlier, was = self._earlier.get(key, (arguments, None, None))
            if not same(was, plain(earlier)):
                self._earlier.clear()
                raise overwritten(before, arguments, self.contract)
        self._earlier.pop(shapes, None)
        self._earlier[shapes] = arguments, result, copy.deepcopy(plain(result))
        if len(self._earlier) > RECENT:
            del self._earlier[next(iter(self._earlier))]

    def _handed(self, argument: Any) -> Any:
        if isinstance(argument, (list, tuple, np.ndarray)):
            return copy.deepcopy(argument)
        if not isinstance(argument, torch.Tensor):
            return argument
        if self.contract.array == "numpy":
            return argument.detach().cpu().numpy().copy()
        return argument.detach().clone() if not argument.requires_grad else argument

    def _fits(self) -> None:
        try:
            signature = inspect.signature(self.function)
        except (TypeError, ValueError):  # a builtin without a signature: the first call will tell
            return
        try:
            signature.bind(*self.contract.parameters)
        except TypeError as error:
            raise UsageError(f"the callable does not fit {self.contract.call}: {error}") from None


def _line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:300] or "(no message)"
