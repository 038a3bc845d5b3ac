"""Faces of real clips."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infofuse.errors import InfofuseError
from infofuse.extract.face_landmarks import BLENDSHAPES, COLUMNS, Landmarker
from infofuse.extract.media import Frame, Media, open_media
from infofuse.extract.recipe import stage, stage_from_json
from infofuse.extract.vision_face import VisionFace
from infofuse.extract.weights import FACE

Open = Callable[..., Media]
PITCH, YAW, ROLL = (COLUMNS.index(name) for name in ("pitch", "yaw", "roll"))


@pytest.fixture
def real(shared: Path) -> Open:
    return lambda name, fps=5.0: open_media(shared / "data/clips" / name, fps=fps)


@pytest.fixture(scope="module")
def picture(shared: Path) -> np.ndarray:
    clip = open_media(shared / "data/clips/pyfeat_single.mp4", fps=1.0)
    return next(iter(clip.frames)).image


def test_the_columns_are_the_landmarkers() -> None:
    from mediapipe.tasks.python.vision.face_landmarker import Blendshapes

    names = [name.lstrip("_").lower() for name in BLENDSHAPES]
    assert names == [shape.name.replace("_", "").lower() for shape in Blendshapes]
    assert len(COLUMNS) == len(set(COLUMNS)) == 59


def test_a_face_in_every_frame(real: Open) -> None:
    media = real("pyfeat_single.mp4")
    found = VisionFace()(media)
    assert found is not None
    assert found.values.shape == (12, 59)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert media.notes == []
    np.testing.assert_allclose(found.times, np.stack([np.arange(12), np.arange(1, 13)], 1) / 5)


def test_the_same_bytes_every_time(real: Open) -> None:
    first, second = (VisionFace()(real("pyfeat_single.mp4")) for _ in range(2))
    assert first.values.tobytes() == second.values.tobytes()


def test_frames_without_a_face_make_no_step(real: Open) -> None:
    """The face comes with the last shot: in 32 of 125 frames, from 3.72 s on."""
    media = real("mexca_5s.mp4", fps=2.5)
    found = VisionFace()(media)
    assert found.times[:, 0].tolist() == pytest.approx([4.0, 4.4, 4.8])
    assert "a face in 3 of 13 frames" in media.notes
    assert (found.values[:, YAW] > 0.3).all()  # she looks to her left


def test_a_clip_of_research_has_its_face(real: Open) -> None:
    found = VisionFace()(real("mosi_Oz06ZWiO20M_6.mp4", fps=2.0))
    assert len(found.values) == 15


def test_no_face_no_vision(picture: np.ndarray) -> None:
    wall = Frame(0.0, np.ascontiguousarray(picture[:80, :80]))
    media = Media("wall", 1.0, np.zeros(0, np.float32), [wall], [])
    assert VisionFace()(media) is None
    assert media.notes == ["no face in any frame"]


def test_no_frames_no_vision() -> None:
    media = Media("sound", 1.0, np.zeros(16_000, np.float32), (), ["no video stream"])
    assert VisionFace()(media) is None
    assert media.notes == ["no video stream"]


def test_the_head_turns_with_the_picture(picture: np.ndarray) -> None:
    """Turned by 20 degrees, a head rolls by that; mirrored, it yaws and rolls the other way."""
    from PIL import Image

    turned = np.asarray(Image.fromarray(picture).rotate(20, resample=Image.Resampling.BICUBIC))
    with Landmarker(FACE.find() / "face_landmarker.task", 2) as landmarks:
        [straight], [rolled] = landmarks(picture), landmarks(turned)
        [mirrored] = landmarks(np.ascontiguousarray(picture[:, ::-1]))
        pair = landmarks(np.concatenate([picture, picture[:, ::-1]], 1))
    assert rolled.row[ROLL] - straight.row[ROLL] == pytest.approx(np.deg2rad(20), abs=0.03)
    assert mirrored.row[ROLL] == pytest.approx(-straight.row[ROLL], abs=0.03)
    assert len(pair) == 2


def test_the_speaking_one_of_two_faces(real: Open) -> None:
    """A speaker beside one who sits still and is larger: the speaker's numbers come back."""
    from PIL import Image

    speaker, other = real("mosi_Oz06ZWiO20M_6.mp4"), real("pyfeat_single.mp4", 1.0)
    still = next(iter(other.frames)).image[60:360, 140:460]
    still = np.asarray(Image.fromarray(still).resize((384, 360)))
    frames = list(speaker.frames)
    beside = [Frame(f.time, np.concatenate([f.image, still], 1)) for f in frames]
    media = Media("two", speaker.seconds, speaker.waveform, beside, [])
    both, alone = VisionFace()(media), VisionFace()(speaker)
    assert len(both.values) == len(alone.values) == len(frames)
    opening = COLUMNS.index("mouthOpening")
    assert np.corrcoef(both.values[:, opening], alone.values[:, opening])[0, 1] > 0.5
    assert any("several faces" in note for note in media.notes)
    silent = Media("two", speaker.seconds, speaker.waveform[:0], beside, [])
    assert VisionFace()(silent).values[:, opening].std() < 0.02  # the larger, who sits still


def test_a_recipe_keeps_it() -> None:
    made = stage("vision", "face", faces=2)
    assert stage_from_json("vision", made.identity()) == made
    assert made.identity()["weights"] == dict(FACE.digests)


def test_a_number_of_faces_that_makes_no_sense() -> None:
    with pytest.raises(InfofuseError, match="from 1 to 16 was expected"):
        VisionFace(faces=0)


def test_another_file_is_no_landmarker(tmp_path: Path) -> None:
    (tmp_path / "x.task").write_bytes(b"nothing")
    with pytest.raises(InfofuseError, match="is no face landmarker"):
        Landmarker(tmp_path / "x.task", 1)
    with pytest.raises(InfofuseError, match="there is no file"):
        VisionFace(model=str(tmp_path / "y.task")).identity()


def test_standard_error_stays_clean(picture: np.ndarray, capfd: pytest.CaptureFixture) -> None:
    with Landmarker(FACE.find() / "face_landmarker.task", 1) as landmarks:
        landmarks(picture)
    assert capfd.readouterr().err == ""
