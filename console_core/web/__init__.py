"""The HTTP routes beside the pages, and the process that serves them."""
