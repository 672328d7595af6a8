"""The parts of the page that leads from questions to a verdict."""
