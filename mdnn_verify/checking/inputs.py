"""The inputs that an implementation is tried on: the enumerated ones, then random ones of growing size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from mdnn_verify.contract import Contract, Instance, Kind, Terms
from mdnn_verify.engines.montecarlo import Stream

__all__ = ["made", "numbered", "small", "turns"]


def small(contract: Contract, terms: Terms) -> Iterator[Instance]:
    """The enumerated inputs."""
    yield from contract.smallest(terms) if contract.smallest else ()


def turns(contract: Contract) -> Iterator[tuple[Kind, int, int]]:
    """Kinds, sizes and repetitions, the small sizes of all kinds first."""
    every = [(size, order, turn, kind) for order, kind in enumerate(contract.kinds)
             for size in kind.sizes for turn in range(kind.times)]  # fmt: skip
    for size, _, turn, kind in sorted(every, key=lambda item: item[:3]):
        yield kind, size, turn


def made(contract: Contract, identifier: str, kind: Kind, size: int, turn: int, seed: int, terms: Terms) -> Instance:
    """The input of one kind, size and turn; it depends on nothing else but the seed."""
    rng = Stream(f"check/{identifier}/{kind.name}/{size}", seed, turn)
    return Instance(kind.make(rng, size, terms), size, f"{kind.name.replace('_', ' ')}, size {size}")


def numbered(contract: Contract, identifier: str, number: int, seed: int, terms: Terms) -> Instance:
    """The input that ``judge`` announces under ``number``; past the last one, the first."""
    later = (
        (lambda kind=kind, size=size, turn=turn: made(contract, identifier, kind, size, turn, seed, terms))
        for kind, size, turn in turns(contract)
    )
    first = list(small(contract, terms))
    if number < len(first):
        return first[number]
    make = next(itertools.islice(later, number - len(first), None), None)
    return make() if make else first[0]
