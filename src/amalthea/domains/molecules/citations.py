"""The works on which molecules rest, as BibTeX."""

from __future__ import annotations

RDKIT = (
    """@misc{rdkit, title = {{RDKit}: Open-source cheminformatics}, howpublished = {\\url{https://www.rdkit.org}}}"""
)

MORGAN = """@article{rogers2010, author = {Rogers, David and Hahn, Mathew}, title = {Extended-Connectivity
  Fingerprints}, journal = {Journal of Chemical Information and Modeling}, volume = {50}, pages = {742--754},
  year = {2010}}"""
