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

#: By `realtime`: the title, and what to draw over: a column of the curve, its unit and its name.
KINDS = {
    False: ("lock-step", 0, 1, "steps of all remotes together"),
    True: ("real time", 1, 60, "minutes"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="what ppo.py --out wrote")
    parser.add_argument("--png", type=Path, required=True, help="the picture to draw")
    parser.add_argument("--json", type=Path, help="all runs in one file")
    options = parser.parse_args(arguments)

    runs = [json.loads(path.read_text()) for path in options.runs]
    kinds = [kind for kind in KINDS if any(run["realtime"] is kind for run in runs)]
    figure = Figure(figsize=(8, 4.8), dpi=100, layout="constrained")
    sides = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(sides, kinds, strict=True):
        title, column, unit, label = KINDS[kind]
        for run in runs:
            if run["realtime"] is kind:
                places = [row[column] / unit for row in run["curve"]]
                means = [row[3] for row in run["curve"]]
                axes.plot(places, means, label=f"seed {run['seed']}, {run['remotes']} remotes")
                axes.axhline(run["threshold"], color="grey", linewidth=0.8, linestyle=":")
        axes.set_title(title)
        axes.set_xlabel(label)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize="small")
    sides[0].set_ylabel("mean return of the last 100 episodes")
    figure.suptitle("CartPole from pixels, over VNC")
    figure.savefig(options.png)
    if options.json:
        options.json.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
    print(f"{options.png}: {len(runs)} runs")


if __name__ == "__main__":
    main()
