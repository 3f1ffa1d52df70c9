"""The engine: many networks in one compiled program. It knows arrays only."""
