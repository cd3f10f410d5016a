"""The tests; run them with `pytest` from the root of the project.

Nothing here trusts the cache on disk: what is tested is the compiler as it stands, not what it wrote before.
"""

import os

os.environ.setdefault("AD_COMPILER_CACHE", "off")
