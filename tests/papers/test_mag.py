"""MAG: the gate restated, on BERT and XLNet where transformers runs them, and beside which word."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoTokenizer, XLNetConfig, XLNetModel

from infofuse.data import Corpus, DataSpec
from infofuse.data.loader import Loader
from infofuse.encoders import WordPieces
from infofuse.encoders.pretrained import minilm_folder
from infofuse.fusion.adaptation import AdaptationGate, beside_words
from infofuse.models import AdaptedLanguageModel, columns, fit_inputs
from infofuse.papers import mag
from infofuse.types import Batch, Clips, Padded, Sample


@pytest.fixture(scope="module")
def tiny_xlnet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a two-layer XLNet of random weights; the tokenizer is MiniLM's."""
    folder = tmp_path_factory.mktemp("tiny-xlnet")
    torch.manual_seed(7)
    config = XLNetConfig(vocab_size=30522, d_model=16, n_layer=2, n_head=2, d_inner=32)
    XLNetModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(folder)
    return str(folder)


def build(spec: DataSpec, text: str, **choices: object) -> AdaptedLanguageModel:
    torch.manual_seed(1)
    config = mag.Config(text_encoder=text, **choices)  # type: ignore[arg-type]
    return mag.build(config, spec)[0].eval()


def batch_of(model: AdaptedLanguageModel, clips: Clips) -> Batch:
    rows = np.arange(len(clips))
    return Loader(columns(model, clips), clips.labels, len(clips)).batch(rows)


def gate(model: AdaptedLanguageModel, z: Tensor, x: dict[str, Tensor], release: bool) -> Tensor:
    """Eq. 1 to 5, token by token."""
    g, rows = model.gate, []
    for i in range(len(z)):
        h = torch.zeros_like(z[i])
        for m, steps in x.items():
            amount = g.gate[m](torch.cat([z[i], steps[i]])).relu()
            value = g.value[m].weight @ steps[i] + (g.value[m].bias if release else 0)
            h = h + amount * value
        if not release:
            h = h + g.bias
        alpha = min(g.shift * (z[i].norm() / h.norm()).item(), 1.0)
        rows.append(g.norm(z[i] + alpha * h))
    return torch.stack(rows)


def per_token(model: AdaptedLanguageModel, batch: Batch, i: int) -> dict[str, Tensor]:
    """What stands beside each token of a clip, from the mean frames of each word's interval."""
    pairs = batch.inputs["text"].values[i, : batch.inputs["text"].lengths[i]]
    count = -int(pairs[0, 1])
    beside = {}
    for m in model.others:
        x = batch.inputs[m]
        frames = model.encoders[m].standardize(x.values)[i, : x.lengths[i]]
        cuts = [len(frames) * w // count for w in range(count + 1)]
        means = [frames[a : max(b, a + 1)].mean(0) for a, b in pairwise(cuts)]
        nothing = torch.zeros(frames.shape[1])
        beside[m] = torch.stack([means[w] if w >= 0 else nothing for w in pairs[:, 1].tolist()])
    return beside


@pytest.mark.parametrize("variant", ["paper", "release"])
@pytest.mark.parametrize("layer", [0, 1])
def test_forward_on_bert(small_corpus: Corpus, tiny_bert: str, layer: int, variant: str) -> None:
    """Layer by layer in transformers' own modules, the states changed between two of them."""
    model = build(small_corpus.spec, tiny_bert, layer=layer, variant=variant, shift=0.5)
    with torch.no_grad():
        for p in model.gate.parameters():
            p.add_(0.1 * torch.randn_like(p))  # so that no bias is zero
    clips = small_corpus.split("train").take(range(4))
    fit_inputs(model, clips)
    batch, bert = batch_of(model, clips), model.encoders["text"].encoder
    out = model(batch)
    for i in range(4):
        length = int(batch.inputs["text"].lengths[i])
        x = bert.embeddings(input_ids=batch.inputs["text"].values[None, i, :length, 0])
        for number, block in enumerate(bert.encoder.layer):
            if number == layer:
                torch.testing.assert_close(out.views["text"][i], x[0].mean(0), atol=1e-5, rtol=1e-5)
                beside = per_token(model, batch, i)
                x = gate(model, x[0], beside, variant == "release")[None]
            found = block(x)
            x = found[0] if isinstance(found, tuple) else found
        torch.testing.assert_close(out.views["fused"][i], x[0, 0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.prediction, model.head(out.views["fused"]))


def test_the_variants_differ_in_numbers() -> None:
    """By where the bias is: with gates that are shut the paper's still shifts a state."""
    torch.manual_seed(0)
    gates = [AdaptationGate(4, {"audio": 2}, shift=1.0, release=r).eval() for r in (False, True)]
    z, x, here = torch.randn(3, 4), torch.randn(3, 2), torch.ones(3, dtype=torch.bool)
    with torch.no_grad():
        for g, bias in zip(gates, (gates[0].bias, gates[1].value["audio"].bias), strict=True):
            bias.fill_(0.5)
            bias[0] = -0.5
            g.gate["audio"].bias.fill_(-100.0)
    paper, release = (g(z, {"audio": x}, {"audio": here}) for g in gates)
    torch.testing.assert_close(release, F.layer_norm(z, (4,)))
    assert (paper - release).abs().max() > 0.1


def test_the_shift_is_bounded_by_the_state() -> None:
    torch.manual_seed(0)
    g = AdaptationGate(6, {"audio": 2}, shift=0.3).eval()
    z, here = torch.randn(5, 6), torch.ones(5, dtype=torch.bool)
    g.norm = torch.nn.Identity()  # what is added, before it is normalised
    moved = g(z, {"audio": 1e4 * torch.randn(5, 2)}, {"audio": here}) - z
    open_gates = moved.norm(dim=1) > 0
    assert open_gates.any()
    torch.testing.assert_close(
        moved.norm(dim=1)[open_gates], 0.3 * z.norm(dim=1)[open_gates], rtol=1e-4, atol=1e-5
    )


def test_tokens_of_a_word_share_its_frame() -> None:
    """Three words of 1, 3 and 1 tokens between [CLS] and [SEP]; a frame a word, then six frames."""
    word = torch.tensor([[-3, 0, 1, 1, 1, 2, -3]])
    frames = torch.tensor([[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]])
    for length, expected in ((3, [0, 1, 2, 2, 2, 3, 0]), (6, [0, 1.5, 3.5, 3.5, 3.5, 5.5, 0])):
        found = beside_words(Padded(frames, torch.tensor([length])), word, torch.tensor([3]))
        assert found[0, :, 0].tolist() == expected


def test_a_word_is_what_stands_between_blanks(tiny_bert: str) -> None:
    """Pieces and punctuation belong to it, so that data with a frame a word is met exactly."""
    words = WordPieces(tiny_bert, max_tokens=9)
    pairs = words.column(Clips.of([Sample("a", text="Don't  overact, y'all"), Sample("b")], {}))[0]
    tokens = words.tokenizer.convert_ids_to_tokens(pairs[:, 0])
    assert tokens[0] == "[CLS]"
    assert tokens[1:4] == ["don", "'", "t"]
    assert pairs[:4, 1].tolist() == [-3, 0, 0, 0]
    assert len(pairs) == 9  # cut, and the number of words is still the clip's
    assert pairs[-1, 1] == -3


def test_forward_on_xlnet(small_corpus: Corpus, tiny_xlnet: str) -> None:
    """A gate before the second layer, in transformers' own forward of one clip; the last token."""
    model = build(small_corpus.spec, tiny_xlnet, layer=1)
    clips = small_corpus.split("train").take(range(4))
    fit_inputs(model, clips)
    batch, xlnet = batch_of(model, clips), model.encoders["text"].encoder
    assert len(set(batch.inputs["text"].lengths.tolist())) > 1
    out = model(batch)
    for i in range(4):
        length = int(batch.inputs["text"].lengths[i])
        ids = batch.inputs["text"].values[None, i, :length, 0]
        states = xlnet(input_ids=ids, output_hidden_states=True).hidden_states
        changed = gate(model, states[1][0], per_token(model, batch, i), False)
        place = xlnet.dropout(xlnet.relative_positional_encoding(length, length, bsz=1))
        last = xlnet.layer[1](changed[:, None], None, None, None, place, None)[0]
        torch.testing.assert_close(out.views["fused"][i], last[-1, 0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("names", [("text",), ("audio",), ("text", "vision")])
def test_masked_equals_absent_on_xlnet(
    small_corpus: Corpus, tiny_xlnet: str, names: tuple[str, ...]
) -> None:
    model = build(small_corpus.spec, tiny_xlnet, layer=1)
    clips = small_corpus.split("train").take(range(4))
    lacking = Clips(
        clips.ids,
        clips.labels,
        {m: r if m in names else r.absent(len(clips), r.width) for m, r in clips.features.items()},
        clips.texts if "text" in names else [""] * len(clips),
        clips.groups,
    )
    masked, absent = model(batch_of(model, clips).only(names)), model(batch_of(model, lacking))
    torch.testing.assert_close(masked.prediction, absent.prediction, atol=1e-5, rtol=1e-5)
    assert masked.prediction.std() > 0  # each clip still has its own


def test_a_model_without_text_is_one_whose_clips_have_none(
    small_corpus: Corpus, tiny_bert: str
) -> None:
    """With the same weights: the language model sees a placeholder either way."""
    whole = build(small_corpus.spec, tiny_bert)
    part = build(small_corpus.spec, tiny_bert, modalities=("audio", "vision"))
    assert tuple(part.encoders) == ("audio", "vision")
    part.unread.load_state_dict(whole.encoders["text"].state_dict())
    part.gate.load_state_dict(whole.gate.state_dict())
    part.head.load_state_dict(whole.head.state_dict())
    clips = small_corpus.split("train").take(range(4))
    expected = whole(batch_of(whole, clips).only(["audio", "vision"]))
    found = part(batch_of(part, clips))
    torch.testing.assert_close(found.prediction, expected.prediction, atol=1e-5, rtol=1e-5)
    assert "text" not in found.views


def test_a_frozen_language_model_still_passes_the_gradient(
    small_corpus: Corpus, tiny_bert: str
) -> None:
    model = build(small_corpus.spec, tiny_bert, freeze_text=True)
    batch = batch_of(model, small_corpus.split("train").take(range(4)))
    model(batch).prediction.sum().backward()
    assert all(p.grad is None for p in model.encoders["text"].parameters())
    assert all(p.grad is not None for p in model.gate.parameters())


def test_size(small_corpus: Corpus, tiny_bert: str) -> None:
    """What MAG adds: a gate and a value for each of 24 and 32 features, a bias and a norm."""
    for variant, biases in (("paper", 32), ("release", 2 * 32)):
        model = build(small_corpus.spec, tiny_bert, variant=variant)
        added = sum(p.numel() for p in model.gate.parameters())
        assert added == sum(32 * (32 + f) + 32 + 32 * f for f in (24, 32)) + biases + 2 * 32


def test_what_it_cannot_build_is_refused(small_corpus: Corpus, tiny_bert: str) -> None:
    with pytest.raises(ValueError, match=r"one of the 2 layers .* found 2"):
        build(small_corpus.spec, tiny_bert, layer=2)


def test_encoders_of_unknown_families_are_refused(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2Model

    GPT2Model(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=20)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no layers were found"):
        WordPieces(str(tmp_path))
