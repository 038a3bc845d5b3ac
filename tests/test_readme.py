"""What the README shows runs: its Python as it stands, but on fewer clips and a smaller encoder."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

README = Path(__file__).parents[1] / "README.md"


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_ten_lines_of_python(
    tiny_bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    code = blocks()[0]
    for shown, here in (
        ("seed=0)", 'seed=0, overrides=["train=32", "valid=8", "test=8"])'),
        ('{"alpha": 0.3}', f'{{"alpha": 0.3, "text_encoder": {tiny_bert!r}}}'),
        ('{"epochs": 6}', '{"epochs": 1}'),
    ):
        assert shown in code
        code = code.replace(shown, here)
    exec(compile(code, "README.md", "exec"), {})
    first, *rest = capsys.readouterr().out.splitlines()
    assert {"mean", "sd"} == eval(first, {"nan": float("nan")}).keys()
    assert len(rest) == 3


def test_one_loss_in_your_own_loop() -> None:
    names: dict[str, Any] = {
        "text_vectors": torch.randn(8, 384, requires_grad=True),
        "audio_vectors": torch.randn(8, 16),
        "loss": torch.zeros(()),
    }
    exec(compile(blocks()[1], "README.md", "exec"), names)
    names["loss"].backward()
    assert names["text_vectors"].grad.abs().sum() > 0


def test_the_shown_verbs_and_files_exist() -> None:
    text = README.read_text()
    for path in re.findall(r"\]\(((?!http)[^)]+)\)|(recipes/\S+\.toml)", text):
        target = next(filter(None, path)).split("#")[0]
        assert (README.parent / target).exists(), target
    from infofuse.cli import VERBS

    shown = set(re.findall(r"^infofuse (\w+)", text, flags=re.MULTILINE))
    assert shown <= {verb.__name__ for verb in VERBS}
