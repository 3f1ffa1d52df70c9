"""The works on which potentials rest, as BibTeX."""

from __future__ import annotations

BEHLER_PARRINELLO = """@article{behler2007, author = {Behler, Jörg and Parrinello, Michele}, title = {Generalized
  Neural-Network Representation of High-Dimensional Potential-Energy Surfaces},
  journal = {Physical Review Letters}, volume = {98},
  pages = {146401}, year = {2007}}"""

BEHLER = """@article{behler2011, author = {Behler, Jörg}, title = {Atom-centered symmetry functions for
  constructing high-dimensional neural network potentials}, journal = {The Journal of Chemical Physics},
  volume = {134}, pages = {074106}, year = {2011}}"""

N2P2 = """@article{singraber2019, author = {Singraber, Andreas and Behler, Jörg and Dellago, Christoph},
  title = {Library-Based {LAMMPS} Implementation of High-Dimensional Neural Network Potentials},
  journal = {Journal of Chemical Theory and Computation}, volume = {15}, pages = {1827--1840}, year = {2019}}"""

ASE = """@article{larsen2017, author = {Larsen, Ask Hjorth and others}, title = {The atomic simulation environment:
  a {Python} library for working with atoms}, journal = {Journal of Physics: Condensed Matter}, volume = {29},
  pages = {273002}, year = {2017}}"""
