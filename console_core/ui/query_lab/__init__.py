"""The parts of the Query lab."""
