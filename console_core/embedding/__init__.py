"""What a model says about a picture or a text."""
