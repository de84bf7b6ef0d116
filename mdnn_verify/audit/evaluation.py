"""What a meaning is in a world, and where in which file it stands if that cannot be said."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable
from types import CodeType
from typing import Any

import sympy as sp
from sympy.matrices.exceptions import NonInvertibleMatrixError

from mdnn_verify.audit.worlds import World
from mdnn_verify.errors import MdnnVerifyError

__all__ = ["MalformedDerivation", "Meaning", "evaluate", "floats_in", "place_of"]

Meaning = Callable[..., Any]


class MalformedDerivation(MdnnVerifyError):
    """A derivation that cannot be judged; the message names the line, what was expected and, if known, the place."""

    exit_status = 2

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message, place)
        self.message, self.place = message, place

    def at(self, place: str) -> MalformedDerivation:
        """The same, with the place where it happened."""
        return MalformedDerivation(self.message, place)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


def evaluate(line: str, meaning: Meaning, world: World) -> Any:
    """The value of a meaning in a world; None where it has no value (1/0, the inverse of a singular matrix).

    Parameters that the world does not give keep their defaults. Raises MalformedDerivation, naming the line, for one
    without a default and for whatever else the meaning raises.
    """
    wanted = inspect.signature(meaning).parameters
    unknown = [name for name, p in wanted.items() if name not in world.data and p.default is p.empty]
    if unknown:
        raise MalformedDerivation(
            f"the line {line!r} asks for {', '.join(unknown)}, which the world {world.shown()} does not give",
            place_of(meaning),
        )
    try:
        return meaning(**{name: _own(world.data[name]) for name in wanted if name in world.data})
    except (ZeroDivisionError, NonInvertibleMatrixError):
        return None
    except NameError as error:
        message = f"the line {line!r} has an undefined symbol: {error}"
        raise MalformedDerivation(message, place_of(meaning, error)) from error
    except MdnnVerifyError as error:
        raise MalformedDerivation(f"the line {line!r}: {error}", place_of(meaning, error)) from error
    except (Exception, SystemExit) as error:  # the meaning is foreign code, and its failure is that line's fault
        raise MalformedDerivation(
            f"the line {line!r} could not be evaluated with {world.shown()}: {type(error).__name__}: {error}",
            place_of(meaning, error),
        ) from error


def floats_in(meaning: Any) -> list[float | complex]:
    """The inexact numbers that a meaning is written with; ``1/3`` is one: in a comparison it would leave no trace."""
    code = getattr(meaning, "__code__", meaning)
    if isinstance(code, (float, complex)):
        return [code]
    inner = code.co_consts if isinstance(code, CodeType) else code if isinstance(code, (tuple, frozenset)) else ()
    return [number for one in inner for number in floats_in(one)]


def place_of(meaning: Meaning, error: BaseException | None = None) -> str:
    """``file.py:12``: where ``error`` left the meaning's file, or where the meaning begins; empty if nobody knows."""
    code = getattr(meaning, "__code__", None)
    if code is None:
        return ""
    number, trace = code.co_firstlineno, error.__traceback__ if error is not None else None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename:
            number = trace.tb_lineno
        trace = trace.tb_next
    return f"{_near(code.co_filename)}:{number}"


def _near(path: str) -> str:
    """As a person would name it from here: relative where the file is below this folder."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return path if relative.startswith("..") else relative


def _own(value: Any) -> Any:
    """Exact, and a copy of what can be changed in place: a line must not change the world of the next."""
    if isinstance(value, sp.MatrixBase):
        return value.copy()
    if type(value) is int:
        return sp.Integer(value)  # so that n / 2 is a half, and no float
    if type(value) is tuple:
        return tuple(map(_own, value))
    return copy.deepcopy(value) if isinstance(value, (list, dict, set)) else value
