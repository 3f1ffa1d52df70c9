"""Small but valid outputs of other programs, as their readers expect them."""

from __future__ import annotations

from collections.abc import Sequence

OUTCAR_STEP = """\
 --------------------------------------- Iteration {step:6d}(   1)  ---------------------------------------
 ------------------------ aborting loop because EDIFF is reached ----------------------------------------
  in kB      10.00000    20.00000    30.00000     4.00000     5.00000     6.00000
      direct lattice vectors                 reciprocal lattice vectors
     5.430000000  0.000000000  0.000000000     0.184162063  0.000000000  0.000000000
     0.000000000  5.430000000  0.000000000     0.000000000  0.184162063  0.000000000
     0.000000000  0.000000000  5.430000000     0.000000000  0.000000000  0.184162063

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
      0.00000      0.00000      0.00000         0.100000      0.200000      {force}
      1.35750      1.35750      1.35750        -0.100000     -0.200000     -0.300000
 -----------------------------------------------------------------------------------
  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =       {energy:.8f} eV

  energy  without entropy=      -10.00000000  energy(sigma->0) =      -10.50000000
"""

OUTCAR_HEADER = """\
 POTCAR:    PAW_PBE Si 05Jan2001
 POTCAR:    PAW_PBE Si 05Jan2001
   ions per type =               2
   k-points           NKPTS =      1   k-points in BZ     NKDIM =      1   number of bands    NBANDS=      4
 k-points in reciprocal lattice and weights: gamma
   0.00000000  0.00000000  0.00000000       1.000
"""


def outcar(energies: Sequence[float], bad: int | None = None) -> str:
    """Return an OUTCAR of two silicon atoms with these free energies; step `bad` (from 1) has an overflown force."""
    steps = [
        OUTCAR_STEP.format(step=step, energy=energy, force="********" if step == bad else "0.300000")
        for step, energy in enumerate(energies, 1)
    ]
    return OUTCAR_HEADER + "".join(steps)


VASPRUN_STEP = """\
 <calculation>
  <scstep><energy><i name="e_fr_energy">{energy}</i><i name="e_0_energy">-10.5</i></energy></scstep>
  <structure>
   <crystal><varray name="basis"><v>5.43 0 0</v><v>0 5.43 0</v><v>0 0 5.43</v></varray></crystal>
   <varray name="positions"><v>0 0 0</v><v>0.25 0.25 0.25</v></varray>
  </structure>
  <varray name="forces"><v>0.1 0.2 0.3</v><v>-0.1 -0.2 -0.3</v></varray>
  <varray name="stress"><v>10 4 6</v><v>4 20 5</v><v>6 5 30</v></varray>
  <energy><i name="e_fr_energy">{energy}</i><i name="e_0_energy">-10.5</i></energy>
 </calculation>
"""

VASPRUN_HEADER = """\
<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <kpoints>
  <varray name="kpointlist"><v>0 0 0</v></varray><varray name="weights"><v>1.0</v></varray>
 </kpoints>
 <atominfo>
  <array name="atoms"><set><rc><c>Si</c><c>1</c></rc><rc><c>Si</c><c>1</c></rc></set></array>
 </atominfo>
 <structure name="initialpos">
  <crystal><varray name="basis"><v>5.43 0 0</v><v>0 5.43 0</v><v>0 0 5.43</v></varray></crystal>
  <varray name="positions"><v>0 0 0</v><v>0.25 0.25 0.25</v></varray>
 </structure>
"""


def vasprun(energies: Sequence[float]) -> str:
    """Return a vasprun.xml of two silicon atoms with these free energies."""
    return VASPRUN_HEADER + "".join(VASPRUN_STEP.format(energy=energy) for energy in energies) + "</modeling>\n"


PWSCF_HEADER = """\
     Program PWSCF v.7.2 starts on 19May2023 at  7:48:12

     number of atoms/cell      =            2
     number of atomic types    =            1
     celldm(1)=  10.000000  celldm(2)=   0.000000  celldm(3)=   0.000000
     crystal axes: (cart. coord. in units of alat)
               a(1) = (   1.000000   0.000000   0.000000 )
               a(2) = (   0.000000   1.000000   0.000000 )
               a(3) = (   0.000000   0.000000   1.000000 )

     site n.     atom                  positions (alat units)
         1           Si  tau(   1) = (   0.0000000   0.0000000   0.0000000  )
         2           Si  tau(   2) = (   0.2500000   0.2500000   0.2500000  )
"""

PWSCF_RESULTS = """\
!    total energy              =     {energy:.8f} Ry

     Forces acting on atoms (cartesian axes, Ry/au):

     atom    1 type  1   force =     0.01000000    0.00000000    0.00000000
     atom    2 type  1   force =    -0.01000000    0.00000000    0.00000000

     Total force =     0.010000     Total SCF correction =     0.000000

          total   stress  (Ry/bohr**3)                   (kbar)     P=  100.00
   0.00100000   0.00000000   0.00000000        147.11      0.00      0.00
   0.00000000   0.00100000   0.00000000          0.00    147.11      0.00
   0.00000000   0.00000000   0.00100000          0.00      0.00    147.11

"""

PWSCF_POSITIONS = """\
ATOMIC_POSITIONS (angstrom)
Si       0.000000000   0.000000000   0.000000000
Si       1.330000000   1.330000000   1.330000000

"""


def pwscf(energies: Sequence[float]) -> str:
    """Return an output of pw.x, a relaxation of two silicon atoms, with these energies in rydberg."""
    results = [PWSCF_RESULTS.format(energy=energy) for energy in energies]
    return PWSCF_HEADER + "\n" + PWSCF_POSITIONS.join(results) + "   JOB DONE.\n"
