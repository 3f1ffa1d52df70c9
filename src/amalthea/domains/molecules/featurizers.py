"""The features of molecules: RDKit's descriptors, Morgan fingerprints, or both side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amalthea.backend import cache_folder
from amalthea.datasets.archive import checked
from amalthea.domains.molecules.cache import FeatureCache
from amalthea.domains.molecules.cleaning import parsed, rdkit
from amalthea.domains.molecules.descriptors import CHUNK, describe_all, descriptor_names
from amalthea.domains.protocol import Featurizer, Metric, Progress
from amalthea.domains.tabular_inputs import Vectors
from amalthea.errors import DataError

NO_MOLECULE = "no molecule"


class Descriptors(Vectors):
    """RDKit's descriptors, kept between runs by canonical SMILES and RDKit's version.

    Args:
        names: the descriptors; None: all that this RDKit has.

    Raises:
        DataError: this RDKit lacks one of the descriptors.

    Example:
        >>> featurizer = Descriptors(["RingCount", "MolWt"])
        >>> featurizer.transform(pd.DataFrame({"smiles": ["c1ccccc1"]}))[0]
        array([[ 1.   , 78.114]], dtype=float32)
    """

    name: str = "descriptors"
    details: str = "{count} RDKit descriptors"
    metric: Metric = "descriptors"

    def __init__(self, names: Sequence[str] | None = None) -> None:
        known = descriptor_names()
        self.feature_names: Sequence[str] = known if names is None else tuple(names)
        self.quantities = len(self.feature_names)
        lacking = [name for name in self.feature_names if name not in known]
        if lacking:
            raise DataError(
                f"the installed RDKit lacks these descriptors: {', '.join(lacking)}. "
                "Install the version that the model was trained with."
            )

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n molecules; see `Featurizer.transform`."""
        smiles, problems = _smiles(examples)
        everything = descriptor_names()
        path = cache_folder() / f"descriptors-1-rdkit-{rdkit('rdBase').rdkitVersion}.sqlite"
        cache = FeatureCache(path, len(everything))
        wanted = list(dict.fromkeys(text for text in smiles if text))
        known = cache.find(wanted)
        missing = [text for text in wanted if text not in known]
        done = len(smiles) - len(missing)
        for start, vectors in enumerate(describe_all(missing, everything)):
            computed = dict(zip(missing[start * CHUNK :], vectors, strict=False))
            cache.keep(computed)
            known |= computed
            done += len(computed)
            if progress is not None:
                progress(done, len(smiles))
        places = [everything.index(name) for name in self.feature_names]
        unknown = np.full(len(everything), np.nan, np.float32)
        rows = [known.get(text or "", unknown)[places] for text in smiles]
        return np.array(rows, np.float32).reshape(len(smiles), len(places)), problems

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, "descriptors": list(self.feature_names)}


class Morgan(Vectors):
    """Counts of circular fragments, as log(1 + count), after Morgan 1965 and Rogers and Hahn 2010 (ECFP).

    Args:
        radius: of the fragments, in bonds.
        size: the number of features d that the fragments are hashed to.
        stereo: tell fragments that are mirror images of one another apart.

    Example:
        >>> values, _ = Morgan().transform(pd.DataFrame({"smiles": ["C", "CC"]}))
        >>> values.shape, float(np.expm1(values[1].max()).round())
        ((2, 2048), 2.0)
    """

    name: str = "morgan"
    title: str = "Morgan counts"
    details: str = "Morgan counts of radius {radius}, hashed to {count}"
    metric: Metric = "tanimoto"
    quantities: int = 0

    def __init__(self, radius: int = 2, size: int = 2048, stereo: bool = False) -> None:
        self.radius, self.size, self.stereo = radius, size, stereo
        self.feature_names: Sequence[str] = tuple(f"morgan_{bit}" for bit in range(size))

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n molecules; see `Featurizer.transform`."""
        generator = rdkit("Chem.rdFingerprintGenerator").GetMorganGenerator(
            radius=self.radius, fpSize=self.size, includeChirality=self.stereo
        )
        smiles, problems = _smiles(examples)
        features = np.full((len(smiles), self.size), np.nan, np.float32)
        for row, text in enumerate(smiles):
            if text:
                features[row] = generator.GetCountFingerprintAsNumPy(parsed(text))
            if progress is not None and (row % CHUNK == CHUNK - 1 or row == len(smiles) - 1):
                progress(row + 1, len(smiles))
        return np.log1p(features), problems

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {
            "name": self.name,
            "radius": self.radius,
            "size": self.size,
            **({"stereo": True} if self.stereo else {}),
        }


class Both(Vectors):
    """Two featurizers side by side, as one: the features of `first`, then those of `second`."""

    name: str = "both"
    title: str = "descriptors and Morgan counts"
    metric: Metric = "descriptors"

    def __init__(self, first: Featurizer, second: Featurizer) -> None:
        self.parts = (first, second)
        self.feature_names: Sequence[str] = (*first.feature_names, *second.feature_names)
        self.quantities = first.quantities

    def transform(
        self, examples: pd.DataFrame, progress: Progress | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
        """Return the features of n molecules; see `Featurizer.transform`."""
        first, problems = self.parts[0].transform(examples, progress)
        second, _ = self.parts[1].transform(examples)
        return np.concatenate([first, second], axis=1), problems

    def state(self) -> dict[str, Any]:
        """Return what makes the same featurizer again."""
        return {"name": self.name, "parts": [part.state() for part in self.parts]}


def make(choice: str) -> Featurizer:
    """Return a featurizer by its name: "descriptors", "morgan", "both", or "stereo": both, with mirror images apart."""
    if choice in ("both", "stereo"):
        return Both(Descriptors(), Morgan(stereo=choice == "stereo"))
    return Descriptors() if choice == "descriptors" else Morgan()


def restore(state: dict[str, Any]) -> Featurizer:
    """Return the featurizer that a `state` described.

    Example:
        >>> restore(Morgan(radius=3).state()).state()
        {'name': 'morgan', 'radius': 3, 'size': 2048}
    """
    where = "model.json, featurizers"
    match state.get("name"):
        case "descriptors":
            return Descriptors(checked(tuple[str, ...], state.get("descriptors"), where))
        case "morgan":
            radius, size = checked(tuple[int, int], (state.get("radius"), state.get("size")), where)
            return Morgan(radius, size, checked(bool, state.get("stereo", False), where))
        case _:
            parts = checked(tuple[dict[str, Any], dict[str, Any]], state.get("parts"), where)
            return Both(*map(restore, parts))


def _smiles(examples: pd.DataFrame) -> tuple[list[str | None], NDArray[np.object_]]:
    smiles = [text if isinstance(text, str) and text else None for text in examples["smiles"]]
    return smiles, np.array(["" if text else NO_MOLECULE for text in smiles], dtype=object)
