"""The report: one HTML file that tells the whole truth about a model, and opens without a network."""
