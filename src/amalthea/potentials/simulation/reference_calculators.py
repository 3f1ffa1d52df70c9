"""Reference calculators by their names: those of ASE, GFN2-xTB through tblite, and a user's class."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amalthea.datasets.messages import did_you_mean
from amalthea.errors import AmaltheaError, MissingDependencyError
from amalthea.potentials.reading.read_errors import FAILURES, need_ase, reason

DEFAULT = "GFN2-xTB"
"""Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019): any molecule up to radon, in milliseconds."""

_TIGHT_BINDING = ("GFN2-xTB", "GFN1-xTB")


PROGRAMS = (
    "ASE finds programs that it runs, and their pseudopotentials, in ~/.config/ase/config.ini, or in the file that the "
    "environment variable ASE_CONFIG_PATH names"
)

NEEDS = {
    "espresso": (
        f"{PROGRAMS}: the lines [espresso], command = pw.x and pseudo_dir = FOLDER (a whole path). The rest is told by "
        """options: --option 'pseudopotentials={"Si": "Si.upf"}' (a file of that folder for each element), """
        """--option 'input_data={"control": {"tprnfor": true, "tstress": true}, "system": {"ecutwfc": 40}}', """
        "--option kpts=[3,3,3]"
    ),
    "vasp": (
        "ASE runs VASP by the environment variable ASE_VASP_COMMAND (mpirun vasp_std), its potentials in VASP_PP_PATH. "
        "The rest is told by options: --option xc=PBE --option encut=500 --option kpts=[3,3,3]"
    ),
    "cp2k": f"{PROGRAMS}: the lines [cp2k] and command = cp2k_shell.psmp. The rest is told by --option inp='...'",
}
"""What a program needs to be told that is neither in its name nor in a structure."""


def needs(name: str) -> str:
    """Return as a sentence what a calculator needs to be told; "" where that is not known."""
    return f" {NEEDS[name.lower()]}." if name.lower() in NEEDS else ""


@contextlib.contextmanager
def reference(name: str, options: Mapping[str, Any], folder: Path, start: Path) -> Iterator[Any]:
    """Give a calculator, and let this process stand in `folder` as long as it is used.

    Some calculators take a folder for their files, others write where the process stands: so each gets both.

    Args:
        name: "GFN2-xTB", "GFN1-xTB" (tblite), the name of one of ASE's ("emt", "espresso", "vasp", ...), or a class of
            the user's, "module:Class".
        options: what the calculator is called with; texts that name a file or folder from `start` are understood so.
        folder: where it may write its files.
        start: the folder in which the user gave the options and keeps modules.

    Raises:
        AmaltheaError: there is no such calculator, or it cannot be set up so.
        MissingDependencyError: tblite or ASE is not installed.
    """
    need_ase()
    with contextlib.chdir(folder):
        tight_binding = {known.lower(): known for known in (*_TIGHT_BINDING, "tblite")}
        if name.lower() in tight_binding:
            method = tight_binding[name.lower()]
            yield _tblite({"method": DEFAULT if method == "tblite" else method, "verbosity": 0, **options})
            return
        kind = _class(name, start)
        files = {"directory": str(folder)} if _writes(kind) else {}
        try:
            calculator = kind(**files, **_with_whole_paths(dict(options), start))
        except FAILURES as error:
            raise AmaltheaError(f"The calculator {name} cannot be set up: {reason(error)}.{needs(name)}") from error
        yield calculator


def _class(name: str, start: Path) -> type[Any]:
    """Return a class of calculators by its name in ASE, or as module:Class, also from the folder `start`."""
    from ase.calculators.calculator import get_calculator_class
    from ase.calculators.names import names

    module, colon, attribute = name.partition(":")
    sys.path.insert(0, str(start))
    try:
        if colon:
            return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
        if name.lower() in names:
            return get_calculator_class(name.lower())  # type: ignore[no-any-return]
    except FAILURES as error:
        raise AmaltheaError(f"The calculator {name} cannot be set up: {reason(error)}") from error
    finally:
        sys.path.remove(str(start))
    hint = did_you_mean(name, [*names, *_TIGHT_BINDING])
    raise AmaltheaError(f"ASE has no calculator that is called {name}.{hint}")


def _with_whole_paths(option: Any, start: Path) -> Any:
    """Return options in which what names a file or folder from `start` does so from anywhere."""
    if isinstance(option, dict):
        return {name: _with_whole_paths(value, start) for name, value in option.items()}
    if isinstance(option, list):
        return [_with_whole_paths(value, start) for value in option]
    names_path = isinstance(option, str) and ("/" in option or "." in option) and (start / option).exists()
    return str(start / option) if names_path else option


def _writes(kind: type[Any]) -> bool:
    """Say whether a calculator runs another program on files, in a folder of its own."""
    from ase.calculators.calculator import FileIOCalculator
    from ase.calculators.genericfileio import GenericFileIOCalculator

    return issubclass(kind, FileIOCalculator | GenericFileIOCalculator)


def _tblite(options: dict[str, Any]) -> Any:
    try:
        from tblite.ase import TBLite
    except ImportError as error:
        raise MissingDependencyError(
            'GFN2-xTB needs tblite, which is not installed. Install it with: pip install "amalthea[xtb]"'
        ) from error
    return TBLite(**options)
