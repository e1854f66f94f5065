"""The decay of exponential kernels: searched, chosen by cross-validation, with its uncertainty."""
