"""python -m infofuse_runtime FOLDER --text "I loved it." """

import argparse
import json
import sys
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from infofuse_runtime.labels import Answer
from infofuse_runtime.refusal import Refusal
from infofuse_runtime.runtime import Runtime

USER_MISTAKE = 2


def main() -> None:
    """Answer for a clip. Exit status 0: done; 2: a mistake in what was given."""
    args = _parser().parse_args()
    try:
        if args.text is None and args.features is None:
            raise Refusal("there is nothing to answer for: give --text or --features")
        runtime = Runtime.load(args.folder, args.threads)
        features = {} if args.features is None else _features(args.features)
        texts = None if args.text is None else [args.text]
        (answer,) = runtime.answers(texts, features, confidence=args.confidence)
    except Refusal as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_MISTAKE)
    print(json.dumps(asdict(answer), ensure_ascii=False) if args.json else _say(answer))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infofuse_runtime",
        description="What an exported model says of a clip, without torch.",
    )
    parser.add_argument("folder", type=Path, help="What infofuse export --onnx wrote.")
    parser.add_argument("--text", help="What is said in the clip.")
    parser.add_argument(
        "--features", type=Path, help="An .npz with (steps, width) numbers by modality."
    )
    parser.add_argument(
        "--confidence", type=float, default=0.9, help="Of the interval or set, such as 0.9."
    )
    parser.add_argument("--threads", type=int, help="Processor threads; else all.")
    parser.add_argument("--json", action="store_true", help="Print JSON for machines.")
    return parser


def _features(path: Path) -> dict[str, list[Any]]:
    """The arrays of an .npz file, as a list of one clip each."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: [file[name]] for name in file.files}
    except (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise Refusal(f"{path} is no .npz file of plain arrays: {error}") from None


def _say(answer: Answer) -> str:
    said = ", ".join(y if isinstance(y, str) else f"{y:.3f}" for y in answer.answer) or "none"
    lines = [f"answer    {said}", f"from      {', '.join(answer.present) or 'nothing'}"]
    if answer.interval is not None:
        lines.append("between   " + ", ".join(f"{a:.3f} and {b:.3f}" for a, b in answer.interval))
    if answer.classes is not None:
        lines.append("possible  " + ", ".join(answer.classes))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
