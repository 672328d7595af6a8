"""The core of the embedding console: everything that is true without a screen, and the screen in `ui`.

Reading order: `errors`, the four `types` modules (catalog, embedding, vectorstore, runs), `migration.reembed`,
then `runs.worker`.
"""
