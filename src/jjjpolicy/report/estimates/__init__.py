"""An estimate as text, as figures, and beside others in a table."""
