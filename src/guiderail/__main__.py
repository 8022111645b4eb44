"""`python -m guiderail`."""

import sys

from guiderail.cli.main import main

sys.exit(main())
