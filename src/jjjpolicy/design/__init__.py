"""The question as arrays: which outcome is compared between which units, treated from when on."""
