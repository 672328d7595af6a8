"""The choices of the Coverage page that the address has, with the keys of their widgets."""

COLLECTION, FACET, STATUS, NUMBER = "coverage-collection", "coverage-facet", "coverage-status", "coverage-page"
FIELDS = {"collection": COLLECTION, "by": FACET, "status": STATUS, "page": NUMBER}
"""By the name of the parameter. `value`, of a facet, has no widget: a click on a bar chooses it."""
