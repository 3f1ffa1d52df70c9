"""The networks of a potential, one subnet an element, and the committee that answers."""
