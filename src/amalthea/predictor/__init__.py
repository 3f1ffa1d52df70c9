"""A trained model at work: what it answers, how sure it is, how good it is, and how it is saved and opened."""
