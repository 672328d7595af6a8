"""What the Backups page shows."""
