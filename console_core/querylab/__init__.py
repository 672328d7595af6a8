"""The same question to several collections, side by side."""
