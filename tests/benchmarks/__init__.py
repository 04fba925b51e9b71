"""That the benchmark measures what it says: never how fast anything is."""
