"""Draw the curves that `ppo.py --out` wrote.

pip install 'auniverse[learn]'
python examples/curve.py seed1.json seed2.json --png learning.png
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="what ppo.py --out wrote")
    parser.add_argument("--png", type=Path, required=True, help="the picture to draw")
    parser.add_argument("--json", type=Path, help="all runs in one file")
    options = parser.parse_args(arguments)

    runs = [json.loads(path.read_text()) for path in options.runs]
    figure = Figure(figsize=(8, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    for run in runs:
        steps, _, _, means = zip(*run["curve"], strict=True)
        kind = "real time" if run["realtime"] else "lock-step"
        style = "--" if run["realtime"] else "-"
        axes.plot(steps, means, style, label=f"{kind}, seed {run['seed']}")
    for threshold in {run["threshold"] for run in runs}:
        axes.axhline(threshold, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xlabel("steps of all remotes together")
    axes.set_ylabel("mean return of the last 100 episodes")
    axes.set_title("CartPole from pixels, over VNC")
    axes.legend()
    figure.savefig(options.png)
    if options.json:
        options.json.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
    print(f"{options.png}: {len(runs)} runs")


if __name__ == "__main__":
    main()
