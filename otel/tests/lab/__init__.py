"""Tests of the programs in `lab`."""
