"""The inspection engine: chunks of a dataset to tallies, in one process or in several."""
