"""What a report tells of a potential."""
