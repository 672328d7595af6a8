"""Judging: the same query, side by side."""
