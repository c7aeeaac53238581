"""``python -m jjjpolicy``."""

from jjjpolicy.cli import main

main()
