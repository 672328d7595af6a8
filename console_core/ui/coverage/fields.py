"""The choices of the Coverage page that the address has, with the keys of their widgets."""

COLLECTION, FACET, STATUS = "coverage-collection", "coverage-facet", "coverage-status"
FIELDS = {"collection": COLLECTION, "by": FACET, "status": STATUS}
"""By the name of the parameter. There are two more: `value` of the facet, by a click on a bar, and the `page`."""
