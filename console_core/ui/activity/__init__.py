"""What the Activity page shows."""
