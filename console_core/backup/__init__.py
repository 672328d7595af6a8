"""What is kept against loss: portable archives of collections, proven by restoring them."""
