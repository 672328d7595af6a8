"""Who sees which collection: introduce an alias, share its traffic out, cut over, roll back."""
