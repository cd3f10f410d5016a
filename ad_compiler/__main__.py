"""`python -m ad_compiler …` is `adc …`.

`python -m` puts the working folder on the import path; it is taken off again here, so that files beside
the one that is read do not shadow the modules imported from now on.  What `import ad_compiler` itself
imported is already there: `adc` and `python -P -m ad_compiler` do not have that gap.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
        del sys.path[0]

    from ad_compiler.cli import main

    sys.exit(main())
