"""The batch of row problems that a kernel and events make; see `Design`."""

from hawkeys._design.design import Design
from hawkeys._design.selected import SelectedRows

__all__ = ["Design", "SelectedRows"]
