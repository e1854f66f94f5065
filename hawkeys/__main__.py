"""``python -m hawkeys``, where the command ``hawkeys`` is not on the path."""

import sys

from hawkeys.cli import main

sys.exit(main())
