"""Small changes to the rules of money, each of which some test must notice: `make mutants`.

mutmut changes the pure modules in one place at a time and runs the tests that reach it. Those that no test notices are
listed in equivalent.toml with the reason why they change nothing; any other survivor, and any listed one that is gone,
fails. Decorated functions and tables outside of functions are beyond mutmut; tests go through those entry by entry.
"""
