"""The paths of many networks through the space of their weights."""
