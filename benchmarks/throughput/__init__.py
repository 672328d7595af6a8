"""How near the pipeline comes to what the machine can do, and how far ahead of others."""
