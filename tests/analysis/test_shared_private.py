"""What views share and say alone: on planted views where the answers are known."""

from pathlib import Path

import numpy as np
import pytest

from infofuse.analysis import draw_shared_private, shared_private
from infofuse.analysis.ridge import folds, held_out, regress
from infofuse.errors import InfofuseError

N = 600


def planted(seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """text = f(s, t), audio = f(s, a), vision = noise; y = s + t, half of it shared.

    Half of the columns show s, and half the other latent.
    """
    rng = np.random.default_rng(seed)
    s, t, a = (rng.standard_normal((N, 1)) for _ in range(3))

    def mixed(latents: np.ndarray, width: int) -> np.ndarray:
        return np.repeat(latents, width // 2, axis=1) + 0.1 * rng.standard_normal((N, width))

    views = {
        "text": mixed(np.hstack([s, t]), 6),
        "audio": mixed(np.hstack([s, a]), 4),
        "vision": rng.standard_normal((N, 5)),
    }
    return views, (s + t)[:, 0]


def test_planted_answers() -> None:
    views, y = planted()
    found = shared_private(views, y)
    pair = {p.views: p for p in found.pairs}
    own = {v.view: v for v in found.views}
    both = pair["text", "audio"]
    assert both.spectrum[0] > 0.95  # s
    assert abs(both.spectrum[1]) < 0.2  # t with a
    assert both.forward == pytest.approx(0.5, abs=0.05)  # s is half of what text varies by
    assert both.cka == pytest.approx(0.5, abs=0.05)
    for other in ("text", "audio"):
        p = pair[other, "vision"]
        assert max(abs(p.cka), abs(p.forward), abs(p.backward)) < 0.03
    assert own["text"].label > 0.95
    assert own["text"].private == pytest.approx(0.5, abs=0.1)  # t
    assert own["audio"].label == pytest.approx(0.5, abs=0.1)  # s, which text says too
    assert abs(own["audio"].private) < 0.01
    assert abs(own["vision"].label) < 0.03


def test_copies_share_everything_and_have_nothing_private() -> None:
    views, y = planted()
    found = shared_private({"text": views["text"], "copy": views["text"] @ np.diag(range(1, 7))}, y)
    (pair,) = found.pairs
    assert pair.forward > 0.999
    assert min(pair.spectrum) > 0.9
    assert all(abs(v.private) < 0.02 and v.label > 0.95 for v in found.views)


def test_one_view_has_no_others_to_share_with() -> None:
    views, y = planted()
    found = shared_private({"text": views["text"]}, y)
    assert found.pairs == ()
    assert found.views[0].private == found.views[0].label > 0.9


def test_unknown_labels_are_left_out_and_collapsed_views_say_nothing() -> None:
    views, y = planted()
    y[::3] = np.nan
    views["vision"] = np.ones((N, 5))
    found = shared_private(views, y, groups=[f"v{i // 7}" for i in range(N)])
    assert found.clips == N - N // 3
    own = {v.view: v for v in found.views}
    assert own["vision"].label == pytest.approx(0, abs=0.02)
    with pytest.raises(InfofuseError, match="at least 20 clips with labels are needed; found 10"):
        shared_private({m: v[:15] for m, v in views.items()}, y[:15])
    with pytest.raises(InfofuseError, match="400 clips in 2 groups"):
        shared_private(views, y, groups=["a"] * 300 + ["b"] * 300)


def test_folds_hold_each_clip_out_once_and_groups_together() -> None:
    groups = [f"v{i % 13}" for i in range(100)]
    parts = folds(groups, 100, seed=1)
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(100))
    for fit, held in parts:
        assert not {groups[i] for i in fit} & {groups[i] for i in held}


def test_ridge_is_scikit_learns() -> None:
    """The same penalty by leave-one-out, and the same weights."""
    from sklearn.linear_model import RidgeCV

    from infofuse.analysis.ridge import PENALTIES

    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 10))
    y = x[:, :2] + 2 * rng.standard_normal((40, 2)) + 3
    slope, constant = regress(x, y)
    theirs = RidgeCV(alphas=PENALTIES * 40).fit(x, y)
    np.testing.assert_allclose(slope, theirs.coef_.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(constant, theirs.intercept_, rtol=1e-6)


def test_held_out_r2_of_pure_noise_is_not_positive() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 50)), rng.standard_normal((60, 1))
    assert held_out(x, y, folds(None, 60, 0)) < 0.05


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture_is_the_same_every_time(ending: str, tmp_path: Path) -> None:
    views, y = planted()
    found = {"before": shared_private(views, y), "after": shared_private(views, -y)}
    for name in ("a", "b"):
        draw_shared_private(found, tmp_path / f"{name}.{ending}")
    one, two = (tmp_path / f"{name}.{ending}" for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()
    assert one.stat().st_size > 10_000
