"""Amalthea is imported before Keras: it chooses the backend."""

import amalthea  # noqa: F401
