"""Networks: every module of this folder imports torch, and nothing else of the package does."""
