"""Where members train: how many at a time, on which devices, in what portions."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

CACHE_BYTES = 3 * 2**20
"""Members whose variables together fit here advance side by side, so that a step stays near a core's own cache."""

SIDE_BY_SIDE = 12
"""Members that advance side by side at most: more gain nothing."""

MEMORY_BYTES = 2**30
"""Members train at the same time as long as their variables together fit here; the others wait for their turn."""


@dataclasses.dataclass(frozen=True, eq=False)
class Placement:
    """How a group of members lies on the devices."""

    mesh: Mesh  # the devices, along the axis "member"
    group: int  # the number of members that train at the same time
    portion: int  # the number of members that advance side by side on one device
    padded: int  # `group`, filled up so that every device has the same whole number of portions

    @property
    def by_member(self) -> NamedSharding:
        """The sharding of arrays with a leading member axis."""
        return NamedSharding(self.mesh, PartitionSpec("member"))

    @property
    def everywhere(self) -> NamedSharding:
        """The sharding of the data, which all members share."""
        return NamedSharding(self.mesh, PartitionSpec())

    def fill(self, numbers: Any) -> Any:
        """Return the members' numbers, the last one repeated until all places are taken."""
        return np.concatenate([numbers, np.repeat(numbers[-1:], self.padded - len(numbers))])


def choose_placement(
    members: int, member_bytes: int, devices: list[jax.Device] | None = None, memory: int | None = None
) -> Placement:
    """Choose how many members train at the same time and how they lie on the devices.

    Args:
        members: the number of members.
        member_bytes: the size of one member's variables (weights, optimizer, best weights).
        devices: where to train; None: all of JAX's devices.
        memory: the budget for the variables of a group, in bytes; None: `MEMORY_BYTES`.

    Example:
        >>> placement = choose_placement(members=50, member_bytes=40_000, devices=jax.devices()[:1])
        >>> placement.group, placement.portion, placement.padded
        (50, 10, 50)
    """
    devices = jax.devices() if devices is None else devices
    # As many at a time as the memory holds, shared out over the devices, in portions that fit a core's cache.
    group = max(1, min(members, (MEMORY_BYTES if memory is None else memory) // member_bytes))
    devices = devices[:group]
    share = -(-group // len(devices))
    portion = _portion(share, member_bytes, devices[0].platform)
    return Placement(Mesh(np.array(devices), ("member",)), group, portion, len(devices) * _round_up(share, portion))


def _portion(share: int, member_bytes: int, platform: str) -> int:
    """Return how many of a device's members advance side by side: as many as fit the cache, wasting few places.

    XLA computes a batch of one differently from a batch of many. So the choice between one and many rests on the size
    of the network alone, and a lone small member is given a twin: results then do not depend on who trains beside it.
    """
    if platform != "cpu":
        return share
    most = min(CACHE_BYTES // member_bytes, SIDE_BY_SIDE)
    if most < 2:
        return 1
    # A device's share is filled up to whole portions: the size that wastes fewest places, the largest of such.
    sizes = range(max(2, most // 3), most + 1)
    return min(sizes, key=lambda size: (_round_up(share, size), -size)) if share > most else max(2, share)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
