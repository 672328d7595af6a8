"""What the Models page shows: the shelf of model cards, and everything about one model."""
