"""The small reproduced study of the tests of replication."""

from replication.conftest import copy, finished

__all__ = ["copy", "finished"]
