"""``python -m hawkeys.cli``, where the script ``hawkeys`` is not on the path."""

import sys

from hawkeys.cli import main

sys.exit(main())
