"""``python -m pru_demo``."""

import sys

from pru_demo.cli import main

sys.exit(main())
