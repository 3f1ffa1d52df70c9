"""Files of the archives and NumPy's are read; every sequence that cannot be used is refused alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import amalthea as am
from amalthea.domains import claimed, domain
from amalthea.errors import DataError

HEADER = "#a comment\n@problemName Tiny\n@timeStamps false\n@univariate false\n@classLabel true up down\n@data\n"


def ts(path: Path, cases: list[str], header: str = HEADER, packed: bool = False) -> Path:
    content = (header + "\n".join(cases) + "\n").encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def cases(count: int, seed: int = 0, channels: int = 2) -> list[str]:
    """Return cases of unequal length that rise or fall."""
    random, lines = np.random.default_rng(seed), []
    for number in range(count):
        length, up = int(random.integers(8, 13)), number % 2 == 0
        slope = np.arange(length) * (1 if up else -1)
        values = [slope + random.normal(size=length) for _ in range(channels)]
        lines.append(
            ":".join(",".join(f"{each:.3f}" for each in channel) for channel in values) + (":up" if up else ":down")
        )
    return lines


def test_channels_lengths_and_gaps_are_read(tmp_path: Path) -> None:
    path = ts(tmp_path / "tiny.ts", ["1,?,3:4,5,6:up", "1,2:3,4:down", *cases(8)], packed=True)
    dataset = am.read(path)
    first, second = dataset.examples["trace"].iloc[:2]
    np.testing.assert_array_equal(first, np.array([[1, 4], [np.nan, 5], [3, 6]], np.float32))
    assert second.shape == (2, 2)
    assert dataset.targets[0].classes == ("down", "up")
    assert dataset.input_state["uneven"]


def test_each_bad_case_is_refused_with_its_line(tmp_path: Path) -> None:
    bad = ["1,2,3:1,2:up", "1,2,x:1,2,3:up", "1,2,3:up", "?,?,?:?,?,?:down", "1,2,3:1,2,3:?"]
    dataset = am.read(ts(tmp_path / "tiny.ts", [*bad, *cases(8)]))
    reasons = {refusal.row: refusal.reason for refusal in dataset.refused}
    assert reasons[7] == "its channels have different lengths (2, 3)"
    assert "no number" in reasons[8]
    assert reasons[9] == "has 1 channel, where 2 are known"
    assert reasons[10] == "no value is known"
    assert 11 in reasons
    assert len(dataset) == 8


def test_a_test_file_beside_the_training_file_is_the_test_set(tmp_path: Path) -> None:
    paths = [ts(tmp_path / "Tiny_TEST.ts", cases(6, 1)), ts(tmp_path / "Tiny_TRAIN.ts", cases(10))]
    dataset = am.read(paths)
    assert (len(dataset), len(dataset.test)) == (10, 6)


def test_a_new_case_longer_than_all_is_cut_with_a_warning(tmp_path: Path) -> None:
    state = dict(am.read(ts(tmp_path / "tiny.ts", cases(10))).input_state)
    assert state["size"] == 15  # a quarter more than the longest, 12
    asked = domain("signals").inputs([np.ones((14, 2)) * np.arange(2), np.arange(40.0).reshape(20, 2)], state)
    assert asked.problems.tolist() == ["", ""]
    assert asked.warnings.tolist() == ["", "cut from 20 to 15 places"]


def test_a_program_in_typescript_is_no_case(tmp_path: Path) -> None:
    path = tmp_path / "program.ts"
    path.write_text("const x: number = 1;\n")
    assert not domain("signals").claims(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [("@problemName x\n@timeStamps true\n@data\n", "time stamps"), ("@problemName x\n", "stand behind a line @data")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        am.read(ts(tmp_path / "bad.ts", ["1,2,3:1"], header))


def test_a_file_without_labels_has_nothing_to_learn_and_can_be_asked(tmp_path: Path) -> None:
    state = dict(am.read(ts(tmp_path / "tiny.ts", cases(10))).input_state)
    plain = ts(tmp_path / "plain.ts", [case.rpartition(":")[0] for case in cases(4)], "@problemName x\n@data\n")
    assert (domain("signals").inputs(plain, state).problems == "").all()
    with pytest.raises(DataError, match="no labels"):
        am.read(plain)


def test_arrays_are_read_with_their_test_part(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(12, 7)).astype(np.float32)
    np.savez(tmp_path / "signals.npz", x_train=x[:8], y_train=x[:8, 2], x_test=x[8:], y_test=x[8:, 2])
    assert claimed(tmp_path / "signals.npz") is domain("signals")
    dataset = am.read(tmp_path / "signals.npz")
    assert (len(dataset), len(dataset.test), dataset.targets[0].task) == (8, 4, "regression")
    np.testing.assert_array_equal(dataset.examples["trace"].iloc[3].ravel(), x[3])


@pytest.mark.parametrize("shape", [(9, 20, 3), (9, 3, 20)])
def test_channels_stand_on_either_side_and_images_are_left_alone(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    np.savez(tmp_path / "both.npz", waves=values, quality=np.arange(9) * 1.5)
    dataset = am.read(tmp_path / "both.npz", "quality", sequence="waves")
    assert dataset.domain == "signals"
    assert dataset.examples["trace"].iloc[0].shape == (20, 3)
    again = domain("signals").labelled(tmp_path / "both.npz", dataset.targets, dict(dataset.input_state))
    assert again.values.tolist() == dataset.values.tolist()
    with pytest.raises(DataError, match=r"no array of traces 'wave'.*It holds: waves"):
        am.read(tmp_path / "both.npz", "quality", sequence="wave")
    np.savez(tmp_path / "images.npz", x=np.zeros((9, 8, 8), np.uint8), y=np.arange(9) % 2)
    assert claimed(tmp_path / "images.npz") is domain("images")
