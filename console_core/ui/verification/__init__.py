"""Verifying a collection: asking for it, its verdict, what differs, and repairing that."""
