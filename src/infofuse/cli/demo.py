"""infofuse demo"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show
from infofuse.errors import counted

SHOWN = ("mae", "corr", "acc7", "acc5", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0")


def demo(
    out: Annotated[Path, typer.Option(help="The folder of the runs.")] = Path("runs/demo"),
    seeds: Annotated[str, typer.Option(help="Seeds, such as 1111-1115.")] = "1111-1112",
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Train MMIM on a generated corpus, beside two baselines.

    A few minutes on two cores. The corpus is generated: its numbers show that
    everything works, not how good a method is.
    """
    from infofuse.demo import SYSTEMS
    from infofuse.demo import demo as run
    from infofuse.metrics import METRICS
    from infofuse.training.recipe import parse_seeds

    with show.progress(quiet=json) as observer:
        results = run(out, parse_seeds(seeds), [observer])
    if json:
        show.print_json({name: result["summary"] for name, result in results.items()})
        return
    count = len(next(iter(results.values()))["seeds"])
    heading = ["", *(f"({i})" for i in range(1, len(SYSTEMS) + 1))]
    rows = [
        [METRICS[m].name, *(show.spread(results[s.name]["summary"]["test"][m]) for s in SYSTEMS)]
        for m in SHOWN
    ]
    typer.echo(f"Test split of the generated corpus, mean ± sd of {counted(count, 'seed')}:\n")
    typer.echo(show.table([heading, *rows]))
    typer.echo("")
    for i, system in enumerate(SYSTEMS, start=1):
        typer.echo(f"({i}) {system.title}: {out / system.name}")
