"""``python -m hawkeys.cli``: the same as the command ``hawkeys``."""

import sys

from hawkeys.cli import main

sys.exit(main())
