"""From answers to a verdict: query sets, snapshots of answers, blind judgements, and what they decide."""
