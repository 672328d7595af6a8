"""Who sees which collection: introduce an alias, cut over, roll back."""
