"""The core of the embedding console: everything that is true without a screen, and the screen in `ui`.

Reading order: `errors`, the four `types` modules (catalog, embedding, vectorstore, runs), `migration.reembed`,
then `runs.worker`.
"""

import os

# Read once, when torch loads its OpenMP: waiting threads shall sleep instead of spinning. With both cores busy
# elsewhere, spinning cost a re-embed on two threads 98 % of its speed (5 against 370 pictures a second).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
