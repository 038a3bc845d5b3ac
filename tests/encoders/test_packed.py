"""BERT and its kin on real tokens alone: equal to transformers' own forward and backward pass."""

from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel, BertConfig, BertModel

from infofuse.encoders import TextEncoder, TextSequence, packed, pretrained
from infofuse.types import Padded

LENGTHS = torch.tensor([7, 1, 12, 3, 0])
IDS = torch.randint(5, 90, (5, 12), generator=torch.Generator().manual_seed(0))


def bert(**changes: object) -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=90,
        hidden_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=40,
        **changes,  # type: ignore[arg-type]
    )
    return BertModel(config, add_pooling_layer=False).eval()


SMALL = {
    "vocab_size": 90,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
}
DISTIL = {"vocab_size": 90, "dim": 24, "n_layers": 3, "n_heads": 4, "hidden_dim": 40}
FAMILIES: dict[str, dict[str, Any]] = {
    "bert": SMALL,
    "roberta": SMALL,
    "xlm-roberta": SMALL | {"pad_token_id": 6},
    "camembert": SMALL,
    "electra": SMALL | {"embedding_size": 16},
    "mpnet": SMALL,
    "distilbert": DISTIL | {"sinusoidal_pos_embds": True},
}


def kin(family: str) -> Any:
    """A small model of the family, its weights drawn at ten times the usual size, to matter."""
    torch.manual_seed(0)
    config = CONFIG_MAPPING[family](**FAMILIES[family], initializer_range=0.2)
    return pretrained._encoder(AutoModel.from_config(config)).eval()


def mask() -> torch.Tensor:
    real = Padded(IDS, LENGTHS).mask
    real[:, 0] = True
    return real


def ours(model: BertModel, first_only: bool) -> torch.Tensor:
    tokens = packed.embed(model, IDS, mask())
    return packed.states(model, tokens, mask(), first_only=first_only)


def gradients(model: BertModel, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {k: p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("first_only", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_equals_transformers(family: str, first_only: bool) -> None:
    """IDS hold the padding tokens of RoBERTa and of the others, as texts that spell them out do."""
    model = kin(family)
    assert packed.runs(model)
    padding = model.config.pad_token_id
    ids = IDS.clone()
    ids[2, 4] = ids[0, 6] = padding
    plain = model(input_ids=ids, attention_mask=mask().long()).last_hidden_state
    expected = plain[:, 0] if first_only else plain[mask()]
    tokens = packed.embed(model, ids, mask())
    found = packed.states(model, tokens, mask(), first_only=first_only)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    here = gradients(model, (found * direction).sum())
    there = gradients(model, (expected * direction).sum())
    assert here.keys() == there.keys()
    for name, gradient in there.items():
        scale = gradient.abs().max().item()
        torch.testing.assert_close(
            here[name], gradient, atol=1e-5 * max(scale, 1), rtol=1e-5, msg=name
        )
    assert all(
        gradient.abs().max() > 0 for name, gradient in here.items() if "key.bias" not in name
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_states_before_a_layer_are_those_of_transformers(family: str) -> None:
    model = kin(family)
    found = packed.before(model, packed.embed(model, IDS, mask()), mask(), 2)
    plain = model(input_ids=IDS, attention_mask=mask().long(), output_hidden_states=True)
    torch.testing.assert_close(found, plain.hidden_states[2][mask()], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("first_only", [True, False])
def test_states_and_gradients_equal_transformers(first_only: bool) -> None:
    model = bert()
    plain = model(input_ids=IDS, attention_mask=mask().long()).last_hidden_state
    expected = plain[:, 0] if first_only else plain[mask()]
    found = ours(model, first_only)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    direction = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    here = gradients(model, (found * direction).sum())
    there = gradients(model, (expected * direction).sum())
    assert here.keys() == there.keys()
    for name, gradient in there.items():
        torch.testing.assert_close(here[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


def test_dropout_is_on_in_training() -> None:
    model = bert().train()
    assert not torch.equal(ours(model, True), ours(model, True))


def test_batches_without_padding_and_of_one() -> None:
    model = bert()
    for ids in (IDS, IDS[:1]):
        whole = torch.ones(ids.shape, dtype=torch.bool)
        expected = model(input_ids=ids).last_hidden_state
        found = packed.states(model, packed.embed(model, ids, whole), whole)
        torch.testing.assert_close(packed.unpack(found, whole), expected, atol=1e-5, rtol=1e-5)


def test_only_what_it_computes_is_run_by_it(tiny_bert: str) -> None:
    assert packed.runs(TextEncoder(tiny_bert).encoder)
    assert not packed.runs(bert(is_decoder=True))


def test_sequence_and_vector_agree(tiny_bert: str) -> None:
    sequence, vector = TextSequence(tiny_bert).eval(), TextEncoder(tiny_bert).eval()
    vector.load_state_dict(sequence.state_dict())
    x = Padded(IDS, LENGTHS)
    states = sequence(x)
    assert states.values.shape == (5, 12, vector.width)
    assert states.lengths.tolist() == LENGTHS.tolist()
    torch.testing.assert_close(states.values[:, 0], vector(x))
