"""BERT on real tokens alone equals transformers' own forward and backward pass."""

import pytest
import torch
from transformers import BertConfig, BertModel

from infofuse.encoders import TextEncoder, TextSequence, packed
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
