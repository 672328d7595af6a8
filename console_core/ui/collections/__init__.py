"""What the Collections page shows: the table of all, and everything about one."""
