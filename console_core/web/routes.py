"""Everything that the server answers beside the pages."""

from console_core.web import api, backups, health, metrics, pictures

ROUTES = [*health.ROUTES, *metrics.ROUTES, *pictures.ROUTES, *backups.ROUTES, *api.ROUTES]
