"""From data to paper: artefacts, and the paper that refers to them."""
