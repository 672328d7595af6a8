"""What the console costs its server: starting, opening pages, and the ticks of live parts."""
