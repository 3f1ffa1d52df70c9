"""Where a potential's knowledge ends."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from amalthea.potentials.potential import Potential
from amalthea.potentials.symmetry_functions.extrapolation import Extrapolation

TIMES_WORST_ERROR = 2.0
"""So many times the error in the structure that was hardest out of fold."""


@dataclasses.dataclass(frozen=True)
class Uncertainties:
    """How sure a potential is of a structure: None where it cannot say.

    Args:
        energy_std: in eV.
        forces_std: of the least certain atom, in eV/Å.
        extrapolation: the atom and function farthest outside of the training range; None also where all are inside.
        farther: that it lies farther than any structure or atom that was judged; "" where it does not.
    """

    energy_std: float | None = None
    forces_std: float | None = None
    extrapolation: Extrapolation | None = None
    farther: str = ""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Where a potential's knowledge ends.

    Args:
        uncertainty: of the least certain atom's force, a component, in eV/Å; None: no limit.
        extrapolation: how far a symmetry function may lie outside of its training range, as a share of the range.
        action: "stop", or "warn" and go on; in either case the structures are written.
        distance: whether it ends, too, where no held-out structure or atom as far was ever judged.
    """

    uncertainty: float | None = None
    extrapolation: float | None = 1.0
    action: Literal["stop", "warn"] = "stop"
    distance: bool = False

    @classmethod
    def of(cls, potential: Potential | None, action: Literal["stop", "warn"] = "stop") -> Limits:
        """Return those of a potential: twice its error in the worst structure, one training range, what was judged."""
        if potential is None or "force_rmse" not in potential.out_of_fold:
            return cls(None, 1.0, action, distance=True)
        worst = float(potential.out_of_fold["force_rmse"].max())
        return cls(TIMES_WORST_ERROR * worst if np.isfinite(worst) else None, 1.0, action, distance=True)

    def reason(self, known: Uncertainties) -> str:
        """Return why a structure is outside; "" where it is inside."""
        if self.uncertainty is not None and known.forces_std is not None and known.forces_std > self.uncertainty:
            return f"a force is uncertain by {known.forces_std:.2f} eV/Å (limit {self.uncertainty:.2f})"
        worst = known.extrapolation
        if self.extrapolation is not None and worst is not None and worst.excess > self.extrapolation:
            return f"extrapolates: {worst} (limit {self.extrapolation:.0%})"
        return known.farther if self.distance else ""
