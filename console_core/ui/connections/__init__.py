"""What the Settings page shows: everything that the workspace is connected to."""
