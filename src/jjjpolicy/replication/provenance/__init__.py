"""What lies behind a result: specification, rows of data, script."""
