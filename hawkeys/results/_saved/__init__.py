"""Saved results as their files hold them: names and types, read, believed and rebuilt."""
