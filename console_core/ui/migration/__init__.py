"""The screen of a migration: the list, and one view that leads from the plan to the cut-over and back."""
