"""Faults that have one right answer, mended into a new file."""
