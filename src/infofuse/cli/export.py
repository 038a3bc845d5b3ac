"""infofuse export"""

from pathlib import Path
from typing import Annotated

import typer

from infofuse.cli import show


def export(
    run: Annotated[Path, show.OneSeed],
    onnx: Annotated[Path, typer.Option(help="The folder to write.", show_default=False)],
    json: Annotated[bool, show.Json] = False,
) -> None:
    """Write a trained model as ONNX, to be used without torch.

    The folder is read by `python -m infofuse_runtime`, which needs numpy, onnxruntime and
    tokenizers only. Before it is kept, the model in it is compared with the checkpoint on
    clips of many lengths that lack modalities in every way.
    """
    from infofuse.export import export_onnx

    with show.busy("exporting, and comparing with the checkpoint"):
        facts = export_onnx(run, onnx)
    if json:
        show.print_json(facts)
        return
    size = (onnx / "model.onnx").stat().st_size / 1e6
    parity = facts["parity"]
    typer.echo(f"{onnx}: {size:.1f} MB")
    typer.echo(f"reads {', '.join(facts['inputs'])}")
    typer.echo(
        f"within {parity['largest_difference']:.0e} of the checkpoint on {parity['clips']} clips"
    )
    if (onnx / "tokenizer.json").is_file():
        typer.echo(f'try: python -m infofuse_runtime {onnx} --text "I loved it."')
