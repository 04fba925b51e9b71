"""OneRoster's packages: what the manifest says of each file, and a delta over the rows that came before."""
