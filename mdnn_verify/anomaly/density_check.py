r"""Is a flow's p(x) a density? In two dimensions the same code is integrated over the plane; the answer must be 1.

The whole of ``FlowModel.log_density`` is integrated: dequantised pixels in the units of levels, logit, layers, base.
The substitution x = g(t), g(t) = (sigmoid(t) - a) L / (1 - 2 a) in each coordinate, spreads the domain of p over the
plane. Its derivative is written out here and not taken from the flow: a factor that the flow forgets stays missing.

The rule is the trapezoid's on a square grid, |t_i| <= R, whose error falls exponentially with 1/h for an analytic
integrand that has decayed at the border (Trefethen and Weideman, 2014). The stated bound is the sum of

- |Q(h) - Q(2h)|, an estimate: the error of the coarser rule, far above that of Q(h); rounding shows in it too;
- the mass beyond the square, bounded: a flow is a homeomorphism, so once the square encloses what the inverse makes of
  the border of {|z_i| <= 6.5}, a true density has at most 2 erfc(6.5 / sqrt 2), 1.7e-10, of its mass outside. The
  border is cut into pieces, each followed through the inverse as a centre and a radius (interval arithmetic);
- gamma_n Q for the sum of n terms that are not negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from mdnn_verify.anomaly.flow_model import Architecture, FlowModel, crossing_splits
from mdnn_verify.anomaly.flow_rounding import STEEPEST
from mdnn_verify.engines.montecarlo.stream import Stream
from mdnn_verify.engines.pathwise import gamma
from mdnn_verify.errors import UsageError
from mdnn_verify.maths.coupling import CouplingLayer

__all__ = ["Mass", "mass", "planar"]

BASE = 6.5  # where the base's square ends
PIECES = 1024  # of each side of that square
ATTEMPTS = 20
FARTHEST = 25.0  # beyond, 1 - sigmoid(t) is known to fewer than five digits
HIDDEN = 8  # of the planar flow: what is checked is the code, not the size
WEIGHTS = 0.12  # of the planar flow: s and t are far from 0, and its mass stays near the origin


@dataclass(frozen=True)
class Mass:
    """int p(x) dx, and how far from it ``value`` may be."""

    value: float
    bound: float

    @property
    def is_one(self) -> bool:
        """Whether 1 is within the bound, and the bound small enough (one in a thousand) to say something."""
        return self.bound <= 1e-3 and abs(self.value - 1) <= self.bound


def planar(architecture: Architecture, seed: int = 0) -> FlowModel:
    """A float64 flow on two pixels with random weights: as many layers, the same levels, margin and bound.

    The first of ``ATTEMPTS`` whose mass stays where it can be integrated. Raises UsageError if there is none.
    """
    splits = crossing_splits(len(architecture.splits), 2)
    flow = FlowModel(replace(architecture, pixels=2, blocks=2, splits=splits, hidden=HIDDEN)).double()
    flow.requires_grad_(False)
    for attempt in range(ATTEMPTS):
        stream = Stream("anomaly/planar/weights", seed, attempt)
        for parameter in flow.parameters():
            parameter.copy_(WEIGHTS * stream.normal(tuple(parameter.shape)))
        if _reach(flow) <= FARTHEST:
            return flow
    raise UsageError(f"none of {ATTEMPTS} random flows of {len(splits)} layers keeps its mass near the origin")


def mass(flow: FlowModel, nodes: int = 241) -> Mass:
    """The integral of exp(log_density) over its whole domain, for a float64 flow on two pixels.

    ``nodes`` is odd, the number of grid points along each axis. Raises UsageError for another flow or number.
    """
    if len(flow.order) != 2 or next(flow.parameters()).dtype is not torch.float64:
        raise UsageError("the mass of a flow is computed for float64 flows on two pixels only")
    if type(nodes) is not int or nodes < 5 or nodes % 2 == 0:
        raise UsageError(f"nodes = {nodes!r}, expected an odd integer of at least 5")
    half = _reach(flow)
    if not half <= FARTHEST:
        raise UsageError(f"the flow's mass extends to logits of {half:.3g}, expected at most {FARTHEST:g}")
    t = torch.linspace(-half, half, nodes, dtype=torch.float64)
    rise = flow.architecture.levels / (1 - 2 * flow.architecture.margin)
    x = (torch.sigmoid(t) - flow.architecture.margin) * rise
    slope = torch.sigmoid(t) * torch.sigmoid(-t) * rise
    with torch.no_grad():
        density = flow.log_density(torch.cartesian_prod(x, x)).exp().reshape(nodes, nodes)
    terms = density * torch.outer(slope, slope) * (2 * half / (nodes - 1)) ** 2
    fine, coarse = float(terms.sum()), float(4 * terms[::2, ::2].sum())
    tail = 2 * math.erfc(BASE / math.sqrt(2))
    return Mass(fine, abs(fine - coarse) + tail + gamma(nodes**2) * fine)


def _reach(flow: FlowModel) -> float:
    """How far the inverse takes {|z_i| <= BASE}, a bound."""
    piece = BASE / PIECES  # half the length
    along = torch.linspace(-BASE + piece, BASE - piece, PIECES, dtype=torch.float64)
    across = torch.full_like(along, BASE)
    sides = [(along, across), (along, -across), (across, along), (-across, along)]
    centre = torch.cat([torch.stack(side, dim=1) for side in sides])
    radius = piece * (centre.abs() != BASE).double()
    for layer in reversed(flow.coupling_layers()):
        centre, radius = _inverse(layer, centre, radius)
    return float((centre.abs() + radius).max()) * (1 + 1e-6)  # far above the rounding of what was computed


def _inverse(layer: CouplingLayer, z: torch.Tensor, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the layer's inverse takes the boxes |z' - z| <= radius into: centres and radii, (N, 2) each.

    (z' - t') exp(-s') differs from (z - t) exp(-s) by at most exp(-s) (exp(|ds|) (|z - t| + |dz| + |dt|) - |z - t|).
    """
    partition = layer.partition
    (inside, outside), (r_inside, r_outside) = partition.split(z), partition.split(radius)
    scale, shift = layer.networks(inside)
    W1, _, W2, _ = (parameter.abs() for parameter in layer.conditioner.parameters())
    r_scale, r_shift = (STEEPEST * (r_inside @ W1.T) @ W2.T).chunk(2, dim=1)  # tanh is no steeper than 1
    moved = (outside - shift).abs()
    r_moved = torch.exp(-scale) * (torch.exp(r_scale) * (moved + r_outside + r_shift) - moved)
    return partition.join(inside, (outside - shift) * torch.exp(-scale)), partition.join(r_inside, r_moved)
