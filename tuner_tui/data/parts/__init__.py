"""Datasets divided and put together: splits by group, mixtures by weight."""
