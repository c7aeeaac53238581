"""The replication package: one archive with its README."""
