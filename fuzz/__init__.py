"""Fuzz targets: what a stranger's bytes may do to us, tried some thousand times a second.

`targets` says what is tried and what must hold; it knows no fuzzer, so that the tests can replay
the kept corpus. `run` puts one target under atheris; `python -m fuzz` runs them all and prints a
table; `seeds` makes valid input to begin with.
"""
