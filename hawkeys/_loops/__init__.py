"""The compiled loops as the rest of the package calls them.

Each function allocates its outputs, chooses by the size of the data between the plain loops in
`hawkeys._plain` and the compiled ones in `hawkeys._jit`, and spreads rows or realisations over
threads.
"""
