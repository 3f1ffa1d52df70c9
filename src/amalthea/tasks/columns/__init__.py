"""Answers that are columns: numbers and classes, one row an example."""
