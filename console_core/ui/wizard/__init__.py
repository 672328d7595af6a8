"""The steps that lead to a new migration, on one page; what was chosen is in the address."""
