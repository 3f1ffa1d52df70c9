"""Which network is trained: the domain's, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amalthea.datasets.dataset import Target
from amalthea.domains.custom_models import wrap_user_model
from amalthea.domains.protocol import Defaults, Featurizer, Featurizing


def propose(
    kind: Featurizing, featurizer: Featurizer, targets: Sequence[Target], defaults: Defaults, steps: int
) -> Any:
    """Return a compiled `keras.Model` for these features and targets; the arguments are those of `Domain.network`.

    Raises:
        DataError: the user's own network cannot be found or does not fit.
    """
    if defaults.network in kind.network_choices:
        return kind.network(featurizer, targets, defaults, steps)
    return wrap_user_model(defaults.network, featurizer, targets, defaults, steps, kind.network_choices)
