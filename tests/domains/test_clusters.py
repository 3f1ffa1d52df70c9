"""Clusters of molecules: alike together, unlike apart, whatever the order and however many."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from amalthea.datasets.catalogue import load
from amalthea.datasets.dataset import ReadOptions
from amalthea.domains import recognise
from amalthea.domains.molecules import DOMAIN
from amalthea.domains.molecules.grouping import APART, cluster_groups


@pytest.fixture(scope="module")
def smiles() -> list[str]:
    dataset = load("cmet", ReadOptions(), lambda table, _: recognise(table))
    np.testing.assert_array_equal(
        DOMAIN.groups(dataset, "cluster"), cluster_groups(dataset.examples["smiles"].tolist())
    )
    found: list[str] = dataset.examples["smiles"].tolist()
    return found


def test_every_molecule_is_alike_to_some_molecule_of_its_cluster(smiles: list[str]) -> None:
    some = smiles[::5]
    groups = cluster_groups(some)
    assert 1 < len(set(groups.tolist())) < len(some)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in some]
    alike = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    for group in set(groups.tolist()):
        own = np.flatnonzero(groups == group)
        assert alike[np.ix_(own, own)].min(axis=0).max() >= 1 - APART - 1e-9, "one of them is the leader"


def test_the_order_of_the_molecules_does_not_matter(smiles: list[str]) -> None:
    order = np.random.default_rng(0).permutation(len(smiles))
    shuffled = cluster_groups([smiles[index] for index in order])
    np.testing.assert_array_equal(shuffled, cluster_groups(smiles)[order])


def test_copies_share_a_cluster_and_one_molecule_will_do() -> None:
    assert cluster_groups(["CCO"]).tolist() == [0]
    groups = cluster_groups(["CCO", "c1ccccc1", "CCO"])
    assert groups[0] == groups[2] != groups[1]


def test_ten_thousand_molecules() -> None:
    many = ["C" * (1 + n % 25) + "N" * (n // 25 % 20) + "O" * (n // 500) for n in range(10_000)]
    assert len(cluster_groups(many)) == 10_000
