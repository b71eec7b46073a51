"""Find the toolkit for `python benchmarks/latency.py`, installed or not, from any folder.

Python looks for modules in the folder of the file that it runs, here in benchmarks/; the toolkit is
in the folder above. A file imports this one as `harness.run_as_file` before anything of ours.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
