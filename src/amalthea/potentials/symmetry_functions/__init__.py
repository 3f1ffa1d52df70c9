"""The symmetry functions of Behler and Parrinello: what an atom's network sees of its surroundings."""
