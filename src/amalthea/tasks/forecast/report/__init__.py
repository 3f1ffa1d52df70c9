"""What a report tells of a model of series."""
