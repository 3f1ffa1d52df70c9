"""What the engine needs to train a potential: the network, and structures in classes of similar size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from amalthea import backend
from amalthea.domains.protocol import Defaults
from amalthea.potentials.networks.training_arrays import Examples, free_memory
from amalthea.potentials.symmetry_functions.families import families
from amalthea.progress import Bar, Verbosity
from amalthea.training.buckets import Shapes

HIDDEN = (32, 32)
WARM_UP = 0.02
LAST_RATE = 0.02


def potential_network(examples: Examples, defaults: Defaults, steps: int) -> Any:
    """Return a compiled `PotentialNetwork` for these structures, to be trained for so many steps.

    Args:
        examples: give the elements and the symmetry functions.
        defaults: the optimizer, its largest learning rate, and the hidden layers' activation.
        steps: the number of training steps.
    """
    backend.prepare()
    import keras

    from amalthea.domains.networks import optimizer
    from amalthea.potentials.networks.potential_network import PotentialNetwork
    from amalthea.training.soap import Soap

    model = PotentialNetwork(
        examples.elements,
        examples.width,
        HIDDEN,
        families=[families(listed) for listed in examples.functions.values()],
        typical_spread=[spread.tolist() for spread in examples.typical_spread.values()],
    )
    if defaults.optimizer == "soap":
        warm = max(1, round(WARM_UP * steps))
        schedule = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warm), LAST_RATE, warmup_target=defaults.learning_rate, warmup_steps=warm
        )
        model.compile(optimizer=Soap(schedule))
    else:
        model.compile(optimizer=optimizer(defaults, steps))
    return model


def shapes_of(
    examples: Examples, memory_share: float, members: int, say: Callable[[str], None], verbose: Verbosity
) -> tuple[Shapes, Any]:
    """Return structures in classes of similar size, with the derivatives of their functions where these fit in memory.

    Args:
        examples: the structures.
        memory_share: how much of the free memory they may take.
        members: how many networks learn from them: each device that trains some of these has a copy.
        say: hears the estimate.
        verbose: "auto" shows progress on a terminal.

    Returns:
        The classes; and what computes derivatives when they are needed, None where they are stored.
    """
    import jax

    backend.prepare()
    unit, devices = examples.unit(), min(members, len(jax.devices()))
    size = examples.bytes() * (1 + devices)  # they lie in NumPy's arrays as well
    stored = size < memory_share * free_memory()
    how = "computed once" if stored else "more than there is room for, so they are computed anew in every step"
    say(f"The derivatives of the symmetry functions take {size / 1e9:.2g} GB: {how}.")
    classes, parts = examples.classes(), []
    with Bar("derivatives", len(examples.frames), verbose) as bar:
        done = 0
        for rows in classes:
            parts.append(examples.part(rows, unit, stored))
            done += len(rows)
            bar.reach(done, len(examples.frames))
    shapes = Shapes(tuple(parts), tuple(classes))
    if stored:
        return shapes, None

    def derive(numbers: Any, atoms: int, most: int) -> Any:
        return np.stack([examples.derivatives(int(number), unit, atoms, most) for number in np.asarray(numbers)])

    return shapes, derive
