"""Downloads the LHC jet set `hls4ml_lhc_jets_hlf` of OpenML and writes it as an `.npz` file.

830,000 simulated jets, 16 features each, of 5 classes: gluon, light quark, W, Z, top (Duarte et al., "Fast inference of
deep neural networks in FPGAs for particle physics", 2018).

    scripts/fetch_jets [projects/jets/jets.npz]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml

DATA_ID = 42468
DEFAULT = Path(__file__).parents[1] / "projects" / "jets" / "jets.npz"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=DEFAULT)
    target = parser.parse_args().file
    try:
        found = fetch_openml(data_id=DATA_ID, as_frame=False, parser="liac-arff", n_retries=1)
    except Exception as error:  # the network may fail in any way
        print(f"OpenML's data set {DATA_ID} cannot be downloaded: {error}", file=sys.stderr)
        print("  next: connect to the internet; until then projects/jets uses its synthetic stand-in", file=sys.stderr)
        return 1
    names, classes = np.unique(found.target, return_inverse=True)
    np.savez_compressed(target, x=found.data.astype(np.float32), y=classes.astype(np.int64))
    print(f"wrote {target}: {len(classes)} samples; classes 0 to {len(names) - 1}: {', '.join(map(str, names))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
