"""Hostile bytes for all that is read and was written by others: four targets, each with its promises.

A target is a module with `SEEDS`, `WORDS` and `check(data)`, which raises BrokenPromiseError, or whatever
else escapes, where the bytes break a promise. `make test` gives each of them a fixed series of mutated seeds,
`make fuzz` an hour under a fuzzer that is guided by coverage (tests/fuzz/campaign.py).
"""
