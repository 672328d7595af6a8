"""What exists: which pictures there are, and where their bytes lie."""
