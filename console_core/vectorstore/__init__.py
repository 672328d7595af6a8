"""What is stored: collections of points, and who made them."""
