"""One job of a study in a process of its own: `python -m infofuse.study.worker JOB`, JOB in JSON.

The process ends as soon as its standard input does, so that none goes on where its study was
killed; and it locks what it writes to, so that two never write to one folder.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from infofuse.errors import MACHINE, InfofuseError, refusal_of
from infofuse.files import alone

ORPHANED, MISTAKE = 3, 2


def main() -> None:
    """Do the job. Exit status 2: a refusal, said in one sentence on standard error."""
    threading.Thread(target=_end_with_the_study, daemon=True).start()
    try:
        do(json.loads(sys.argv[1]))
    except InfofuseError as error:
        said = str(error)
    except MACHINE as error:
        said = refusal_of(error)
    else:
        return
    print(said, file=sys.stderr)
    sys.exit(MISTAKE)


def do(job: dict[str, Any]) -> None:
    """The job, with one torch thread, alone in what it writes to."""
    import torch

    torch.set_num_threads(1)
    out = Path(job["out"])
    with alone(out, wait=True):  # for a worker of a study that was killed, which is about to end
        JOBS[job["do"]](job, out)


def _end_with_the_study() -> None:
    os.read(0, 1)  # not sys.stdin: a thread that holds its lock lets no interpreter end in peace
    os._exit(ORPHANED)


def _train(job: dict[str, Any], out: Path) -> None:
    from infofuse.training.recipe import read_recipe, resolve
    from infofuse.training.run import train

    recipe = resolve(read_recipe(Path(job["recipe"])))
    train(recipe, out, test=job["test"], log=job["log"], floors=False)  # the survey has them


def _analyse(job: dict[str, Any], out: Path) -> None:
    from infofuse.files import write_json
    from infofuse.study.analyse import analyse

    write_json(out, analyse(job["data"], [Path(run) for run in job["runs"]], job["split"]))


JOBS = {"train": _train, "analyse": _analyse}


if __name__ == "__main__":
    main()
