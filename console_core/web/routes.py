"""Everything that the server answers beside the pages."""

from console_core.web import api, backups, health, health_document, metrics, pictures

ROUTES = [
    *(*health.ROUTES, *health_document.ROUTES, *metrics.ROUTES),
    *(*pictures.ROUTES, *backups.ROUTES, *api.ROUTES),
]
