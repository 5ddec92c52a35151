"""Tests of troupe_trainer that need its parts rather than its wire: `python -m unittest discover -s tests -t .` in this folder's parent."""
