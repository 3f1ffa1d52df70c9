"""The computational graph of a function or a model: traced, grouped, laid out, drawn."""
