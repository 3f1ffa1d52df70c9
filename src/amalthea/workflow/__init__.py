"""The story from a file to a trained model, and from a trained model to answers."""
