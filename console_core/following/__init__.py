"""Keeping collections in step with the catalog while a migration waits, and the way back open afterwards."""
