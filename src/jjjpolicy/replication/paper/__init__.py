"""The paper: one source, filled from results, in every format."""
