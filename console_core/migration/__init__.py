"""Making a collection true: plan, preflight, re-embed, verify."""
