"""The report: one HTML file that tells the whole truth about a model, and opens without a network."""

from amalthea.reporting.page import render, write
from amalthea.reporting.translate import languages

__all__ = ["languages", "render", "write"]
