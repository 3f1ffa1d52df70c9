"""Reference calculators by their names: those of ASE, and GFN2-xTB through tblite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amalthea.datasets.messages import did_you_mean
from amalthea.errors import AmaltheaError, MissingDependencyError
from amalthea.potentials.reading.read_errors import FAILURES, need_ase, reason

DEFAULT = "GFN2-xTB"
"""Bannwarth, Ehlert, Grimme, J. Chem. Theory Comput. 15, 1652 (2019): any molecule up to radon, in milliseconds."""

_TIGHT_BINDING = ("GFN2-xTB", "GFN1-xTB")


def reference(name: str, options: Mapping[str, Any], folder: Path) -> Any:
    """Return a calculator.

    Args:
        name: "GFN2-xTB", "GFN1-xTB" (tblite), or the name of one of ASE's: "emt", "espresso", "vasp", ...
        options: what the calculator is called with.
        folder: where it may write its files.

    Raises:
        AmaltheaError: there is no such calculator, or it cannot be set up so.
        MissingDependencyError: tblite or ASE is not installed.
    """
    need_ase()
    tight_binding = {known.lower(): known for known in (*_TIGHT_BINDING, "tblite")}
    if name.lower() in tight_binding:
        method = tight_binding[name.lower()]
        return _tblite({"method": DEFAULT if method == "tblite" else method, "verbosity": 0, **options})
    from ase.calculators.calculator import get_calculator_class
    from ase.calculators.names import names

    if name.lower() not in names:
        hint = did_you_mean(name, [*names, *_TIGHT_BINDING])
        raise AmaltheaError(f"ASE has no calculator that is called {name}.{hint}")
    try:
        kind = get_calculator_class(name.lower())
        files = {"directory": str(folder)} if _writes(kind) else {}
        return kind(**files, **options)
    except FAILURES as error:
        raise AmaltheaError(f"The calculator {name} cannot be set up: {reason(error)}") from error


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
