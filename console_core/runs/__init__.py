"""What was done: runs, their states, checkpoints and counts."""
