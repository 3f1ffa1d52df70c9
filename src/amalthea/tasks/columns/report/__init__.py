"""What a report tells of columns."""
