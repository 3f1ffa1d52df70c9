"""Images: pictures in files and folders, and stacks of them in arrays."""

from __future__ import annotations

from amalthea.domains.images.domain import Images

DOMAIN = Images()
