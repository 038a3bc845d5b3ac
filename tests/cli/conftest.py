"""What the tests of verbs share stands in verbs.py, beside them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
