"""The future of series as a kind of answer."""
