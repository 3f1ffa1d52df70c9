"""The figures of a potential: networks like its own learn from some of its structures again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import amalthea as am
from amalthea import insight
from amalthea.potentials.networks.potential_network import ENERGY_ERROR, FORCE_ERROR, STRESS_ERROR
from amalthea.potentials.refit import MOST_STRUCTURES, structures
from tests.potentials.trained import potential


def test_all_figures_are_made(tmp_path: Path) -> None:
    heard: list[str] = []
    found = insight.explain(potential(), tmp_path / "figures", say=heard.append, verbose=0)
    assert set(found.files) == {"graph", "step", "generalization", "trajectories"}
    assert not found.missing
    assert "twice the examples" in found.captions["generalization"]
    assert "set no structures aside" in found.captions["generalization"]
    assert "learn anew" in heard[-1]
    path = json.loads((tmp_path / "figures" / "trajectories.json").read_text())
    assert len(path["members"]) == 4
    assert np.isfinite(np.array(path["surface"]["training"], float)).all()
    assert np.isfinite(np.array(path["surface"]["held_out"], float)).all()


def test_the_step_goes_down_the_potential_s_own_loss() -> None:
    """The loss of the mini-batch is what the potential's own answers, its networks' mean put aside, give."""
    chosen = structures(potential().ready)
    network, x, y = chosen.batch()
    alone, used = potential().ready.committee.take([0]), range(len(x["volume"]))
    expected = []
    for place in used:
        atoms = chosen.examples.frames.atoms[place]
        said, size = alone.answer(atoms), len(atoms)
        volume = atoms.get_volume() if atoms.pbc.all() else np.nan
        parts = [
            ((said.energy[0] - chosen.examples.frames.energy[place]) / size / ENERGY_ERROR) ** 2,
            np.mean(((said.forces[0] - chosen.examples.frames.forces[place]) / FORCE_ERROR) ** 2),
        ]
        if np.isfinite(volume) and chosen.examples.frames.stress[place] is not None:
            off = (said.stress[0] - chosen.examples.frames.stress[place]) * volume / size / STRESS_ERROR
            parts.append(np.mean(off**2))
        expected.append(sum(parts))
    taken = insight.step(network, x, y, "sgd")
    assert taken.loss == pytest.approx(np.mean(expected), rel=2e-3)  # derivatives are in half precision
    assert taken.predicted_change < 0


def test_at_most_so_many_structures_are_used_and_too_few_are_refused() -> None:
    assert len(structures(potential().ready).folds) == MOST_STRUCTURES
    few = dataclasses.replace(potential(), examples=potential().examples.iloc[:3])
    with pytest.raises(am.AmaltheaError, match="too few"):
        structures(few.ready)


def test_a_potential_that_learned_for_long_is_not_trained_again_for_a_curve() -> None:
    provenance = dataclasses.replace(potential().provenance, seconds={"train": 3600.0})
    slow = dataclasses.replace(potential(), provenance=provenance)
    found = insight.generalization(slow, verbose=0)
    assert found.curve is None
    assert "60 minutes" in found.missing["curve"]
    without = dataclasses.replace(potential(), examples=potential().examples.iloc[:0])
    assert "needs 24 structures" in insight.generalization(without, verbose=0).missing["curve"]
