"""What is missing: catalog minus collection."""
