"""How models of each kind are read: the right token, no padding, no decoder, or a refusal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CONFIG_MAPPING,
    AutoModel,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    T5EncoderModel,
)

import infofuse
from infofuse.data import Corpus
from infofuse.data.loader import pad
from infofuse.encoders import FrozenText, TextEncoder, TextSequence, WordPieces
from infofuse.encoders.pretrained import shape_from
from infofuse.encoders.reading import KEPT, places, summary_token
from infofuse.errors import InfofuseError
from infofuse.training import resolve, train
from infofuse.types import Clips, Sample

TEXTS = ("I loved it", "I hated it", "", "the worst film that I have ever seen in my life", "it")
SPOKEN = (0, 1, 3, 4)

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
GROUPED = SMALL | {"num_key_value_heads": 2}
GPT2 = {"n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 0}
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
BART = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
}
DEBERTA = SMALL | {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "position_buckets": 16,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
}

CAUSAL = {"gpt2": GPT2, "qwen2": GROUPED, "llama": GROUPED, "bert": SMALL | {"is_decoder": True}}
PAIRS = {"t5": T5, "bart": BART}
FIRST = {
    "deberta-v2": DEBERTA,
    "albert": SMALL | {"embedding_size": 16},
    "modernbert": SMALL | {"pad_token_id": 1},
    "mobilebert": SMALL,
    "squeezebert": SMALL | {"embedding_size": 32},
}
ALL: dict[str, dict[str, Any]] = CAUSAL | PAIRS | FIRST
REFUSED = {
    "fnet": (SMALL, "padding changes what it says"),
    "convbert": (SMALL | {"embedding_size": 32}, "padding changes what it says"),
    "longformer": (SMALL | {"attention_window": 8}, "no token of it sees a whole text of 60"),
    "mistral": (GROUPED | {"sliding_window": 8}, "no token of it sees a whole text of 60"),
    "clip": ({}, "it has no one width of states"),
    "vit": (SMALL, "it failed at 60 tokens"),
}


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """Of GPT-2's kind: nothing is added to a text, and there is no padding token."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], show_progress=False
    )
    made.train_from_iterator(TEXTS * 20, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")


def save(kind: str, options: dict[str, Any], tokenizer: Any, folder: Path) -> str:
    """A model of the kind with random weights, and its tokenizer, as a folder."""
    torch.manual_seed(3)
    size = {} if kind in ("clip", "vit") else {"vocab_size": len(tokenizer)}
    AutoModel.from_config(CONFIG_MAPPING[kind](**size | options)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def clips() -> Clips:
    return Clips.of([Sample(str(i), text=text) for i, text in enumerate(TEXTS)], {})


def plain_states(kind: str, folder: str, ids: torch.Tensor) -> torch.Tensor:
    """What transformers says of one text, without padding or mask."""
    kinds: dict[str, Any] = {"t5": T5EncoderModel}
    model = kinds.get(kind, AutoModel).from_pretrained(folder).eval()
    model = model.encoder if kind == "bart" else model
    with torch.no_grad():
        return model(input_ids=ids[None]).last_hidden_state[0]


@pytest.mark.parametrize("kind", ALL)
def test_each_kind_is_read_as_transformers_reads_it_alone(
    kind: str, tokenizer: Any, tmp_path: Path
) -> None:
    source = save(kind, ALL[kind], tokenizer, tmp_path)
    encoder = TextEncoder(source, max_tokens=60).eval()
    mean = TextEncoder(source, max_tokens=60, pooling="mean").eval()
    sequence = TextSequence(source, max_tokens=60).eval()
    assert encoder.summary_token == ("first" if kind in FIRST else "last")
    x = pad(encoder.column(clips()), np.arange(5))
    with torch.no_grad():
        vectors, means, states = encoder(x), mean(x), sequence(x).values
    for i in SPOKEN:
        length = int(x.lengths[i])
        expected = plain_states(kind, source, x.values[i, :length])
        close = {"atol": 1e-5, "rtol": 1e-5}
        torch.testing.assert_close(states[i, :length], expected, **close)
        read = expected[0 if kind in FIRST else -1]
        torch.testing.assert_close(vectors[i], read, **close)
        torch.testing.assert_close(means[i], expected.mean(0), **close)
    assert vectors.isfinite().all()


@pytest.mark.parametrize("kind", ALL)
def test_what_was_said_matters_in_every_kind(kind: str, tokenizer: Any, tmp_path: Path) -> None:
    encoder = TextEncoder(save(kind, ALL[kind], tokenizer, tmp_path), max_tokens=60).eval()
    with torch.no_grad():
        loved, hated = encoder(pad(encoder.column(clips()), np.arange(2)))
    assert (loved - hated).abs().max() > 1e-4 * loved.abs().max()


@pytest.mark.parametrize("kind", PAIRS)
def test_of_an_encoder_decoder_the_encoder_alone_is_held(
    kind: str, tokenizer: Any, tmp_path: Path
) -> None:
    source = save(kind, PAIRS[kind], tokenizer, tmp_path / "model")
    encoder = TextEncoder(source, max_tokens=60)
    whole = AutoModel.from_pretrained(source)
    alone = sum(p.numel() for p in whole.encoder.parameters())
    assert sum(p.numel() for p in encoder.parameters()) == alone
    assert not any("decoder" in name for name, _ in encoder.named_parameters())
    encoder(pad(encoder.column(clips()), np.arange(5))).sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())
    encoder.save(tmp_path / "shape")
    with shape_from(tmp_path / "shape"):
        again = TextEncoder("no longer there", max_tokens=60)
    again.load_state_dict(encoder.state_dict())
    assert again.summary_token == "last"
    x = pad(encoder.column(clips()), np.arange(5))
    assert torch.equal(again.eval()(x), encoder.eval()(x))
    setattr(encoder.encoder.config, KEPT, "first")
    encoder.save(tmp_path / "other")
    with shape_from(tmp_path / "other"):
        assert TextEncoder("no longer there", max_tokens=60).summary_token == "first"


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_rightly_is_refused(kind: str, tokenizer: Any, tmp_path: Path) -> None:
    options, why = REFUSED[kind]
    source = save(kind, options, tokenizer, tmp_path)
    with pytest.raises(InfofuseError, match=f"{kind}\\) cannot be read here: {why}") as refusal:
        TextEncoder(source, max_tokens=60)
    assert "\n" not in str(refusal.value)


def test_a_window_that_is_wide_enough_is_no_reason_to_refuse(
    tokenizer: Any, tmp_path: Path
) -> None:
    options, _ = REFUSED["mistral"]
    source = save("mistral", options, tokenizer, tmp_path)
    assert TextEncoder(source, max_tokens=8).summary_token == "last"


@pytest.mark.parametrize(
    ("kind", "options", "most"),
    [
        ("roberta", SMALL | {"max_position_embeddings": 42, "pad_token_id": 1}, 40),
        ("mpnet", SMALL | {"max_position_embeddings": 42}, 40),
        ("bert", SMALL | {"max_position_embeddings": 40}, 40),
        ("gpt2", GPT2 | {"n_positions": 40}, 40),
        ("bart", BART | {"max_position_embeddings": 40}, 40),
    ],
)
def test_a_text_may_be_as_long_as_the_model_has_places_for(
    kind: str, options: dict[str, Any], most: int, tokenizer: Any, tmp_path: Path
) -> None:
    source = save(kind, options, tokenizer, tmp_path)
    encoder = TextEncoder(source, max_tokens=most).eval()
    long = Clips.of([Sample("0", text="seen " * 200), Sample("1", text="it")], {})
    x = pad(encoder.column(long), np.arange(2))
    assert x.lengths[0] == most == places(encoder.encoder)
    assert encoder(x).isfinite().all()
    with pytest.raises(InfofuseError, match=f"places for 3 to {most} tokens"):
        TextEncoder(source, max_tokens=most + 1)


def test_weights_of_half_precision_are_read_in_float32(tokenizer: Any, tmp_path: Path) -> None:
    source = save("gpt2", GPT2, tokenizer, tmp_path / "one")
    AutoModel.from_pretrained(source).bfloat16().save_pretrained(tmp_path / "half")
    AutoTokenizer.from_pretrained(source).save_pretrained(tmp_path / "half")
    half = TextEncoder(str(tmp_path / "half"), max_tokens=60)
    assert {p.dtype for p in half.parameters()} == {torch.float32}


def test_what_is_kept_of_a_frozen_model_is_kept_by_its_token(
    tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOFUSE_CACHE", str(tmp_path / "cache"))
    source = save("gpt2", GPT2, tokenizer, tmp_path / "model")
    first = TextEncoder(source, max_tokens=60)
    first.summary_token = "first"
    assert np.allclose(*FrozenText(first).column(clips()).values[:2])  # both begin with "I"
    assert not np.allclose(
        *FrozenText(TextEncoder(source, max_tokens=60)).column(clips()).values[:2]
    )


def test_to_ask_a_model_changes_neither_it_nor_the_random_numbers() -> None:
    model = AutoModel.from_config(CONFIG_MAPPING["gpt2"](vocab_size=300, **GPT2)).train()
    weights = {name: p.clone() for name, p in model.state_dict().items()}
    before = torch.get_rng_state()
    assert summary_token(model, "here", 20) == "last"
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert all(torch.equal(p, weights[name]) for name, p in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_words_of_roberta_are_the_tokens_that_follow_a_blank(tmp_path: Path) -> None:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    made.train_from_iterator(
        TEXTS * 20, trainers.BpeTrainer(special_tokens=special, show_progress=False)
    )
    vocabulary, merges = made.model.save(str(tmp_path))
    roberta = RobertaTokenizer(vocabulary, merges)
    words = WordPieces(save("roberta", SMALL, roberta, tmp_path / "model"), max_tokens=60)
    found = words.column(clips())
    for i in SPOKEN:
        assert found[i][:, 0].tolist() == roberta(f" {TEXTS[i]}")["input_ids"]
    assert found[0][:, 1].tolist() == [-3, 0, 1, 2, -3]


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("kind", ["roberta", "electra", "mpnet", "distilbert", "deberta-v2"])
def test_states_changed_before_a_layer_equal_those_of_a_hook(
    kind: str, layer: int, tokenizer: Any, tmp_path: Path
) -> None:
    options = {"dim": 32, "n_layers": 2, "n_heads": 2} if kind == "distilbert" else SMALL
    options = DEBERTA if kind == "deberta-v2" else options
    source = save(kind, options, tokenizer, tmp_path)
    words = WordPieces(source, max_tokens=60).eval()
    x = pad(words.column(clips()), np.arange(5))
    with torch.no_grad():
        found = words.summary(x, layer, lambda states: states * 1.5 + 0.1)
    model = AutoModel.from_pretrained(source).eval()
    layers = model.transformer.layer if kind == "distilbert" else model.encoder.layer
    layers[layer].register_forward_pre_hook(lambda _, args: (args[0] * 1.5 + 0.1, *args[1:]))
    for i in SPOKEN:
        with torch.no_grad():
            ids = x.values[i : i + 1, : x.lengths[i], 0]
            expected = model(input_ids=ids).last_hidden_state[0, 0]
        torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_a_checkpoint_reads_as_its_run_did(
    kind: str, tokenizer: Any, small_corpus: Corpus, tmp_path: Path
) -> None:
    source = save(kind, ALL[kind], tokenizer, tmp_path / "model")
    tables = {
        "paper": "mmim",
        "data": "given",
        "model": {"text_encoder": source, "max_tokens": 60},
        "train": {"epochs": 1, "max_steps": {"audio": 5}},
    }
    train(resolve(tables), tmp_path / "run", corpus=small_corpus, test=False)
    model = infofuse.load(tmp_path / "run/seed-1111/checkpoint")
    text = next(m for m in model.modules() if isinstance(m, TextEncoder))
    assert text.summary_token == "last"
    loved, hated = text(pad(text.column(clips()), np.arange(2)))
    assert not torch.allclose(loved, hated)
