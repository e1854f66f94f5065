"""Fits of processes with a link: signed delayed influence, by maximum likelihood or penalised."""

from hawkeys.inference.nonlinear.fit import fit_nonlinear

__all__ = ["fit_nonlinear"]
