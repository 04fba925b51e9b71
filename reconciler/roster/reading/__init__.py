"""From delivered files to all-text tables: archives opened, encodings and rows read, cells settled."""
