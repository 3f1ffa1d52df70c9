"""Data as it comes: files, the catalogue, targets, splits, and the `Dataset` that they end in."""
