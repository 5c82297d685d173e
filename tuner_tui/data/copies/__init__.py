"""Rows that are there twice: exactly, nearly, or in the evaluation file too."""
