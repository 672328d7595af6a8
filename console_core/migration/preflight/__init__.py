"""May this migration start? Everything that can be known is found out before the first write."""

from console_core.migration.preflight.outcome import preflight as preflight
from console_core.migration.preflight.parts import Parts as Parts
from console_core.migration.preflight.together import preflights as preflights
