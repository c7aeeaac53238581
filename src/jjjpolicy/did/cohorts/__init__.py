"""What all estimators know of cohorts: their clock, and which effects have no estimate."""
