"""How figures look, and what each kind of figure draws."""
