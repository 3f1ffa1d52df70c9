"""One or two weights on their way down a surface, and one step of learning under the lens."""
