"""Files of atomic structures, read as frames with their labels, and written."""
