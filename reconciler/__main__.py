"""`python -m reconciler` is the command `reconciler`.

Python looks for modules in the folder where it was started first. That is the configuration repository as a
rule, which is data: a `yaml.py` in it would run in the place of the library, with every secret at hand.
"""

from __future__ import annotations

import sys

if not sys.flags.safe_path:
    del sys.path[0]

from reconciler.cli import main

main()
