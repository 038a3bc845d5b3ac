"""Decoding: what is in a file comes out at its time, and what is wrong with it is said."""

import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from recorded import MakeClip, flat, tone

from infofuse.errors import InfofuseError
from infofuse.extract.media import Limits, open_media

LEVELS = [20, 60, 100, 140, 180, 220]


def shown(path: Path, fps: float, **limits: float) -> tuple[list[float], list[int]]:
    """Times of the frames, and their grey."""
    frames = list(open_media(path, Limits(**limits), fps=fps).frames)
    greys = [LEVELS[round((float(f.image.mean()) - 20) / 40)] for f in frames]
    return [round(f.time, 6) for f in frames], greys


def frequency(wave: np.ndarray) -> float:
    """Of the highest peak of the spectrum, in Hz."""
    return float(np.abs(np.fft.rfft(wave)).argmax() * 16_000 / len(wave))


def test_sound_and_pictures_come_out_at_their_times(make_clip: MakeClip) -> None:
    clip = make_clip("a.mp4", sound=tone(440, 0.6), pictures=[flat(x) for x in LEVELS])
    media = open_media(clip, fps=10.0)
    assert media.name == "a"
    assert media.seconds == pytest.approx(0.6, abs=0.07)
    assert not media.notes
    assert media.waveform.dtype == np.float32
    assert frequency(media.waveform) == pytest.approx(440, abs=3)
    assert np.abs(media.waveform).max() == pytest.approx(0.5, abs=0.05)
    times, levels = shown(clip, 10.0)
    assert times[:6] == [0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert levels[:6] == LEVELS


def test_frames_can_be_gone_through_twice(make_clip: MakeClip) -> None:
    media = open_media(make_clip("a.mp4", pictures=[flat(x) for x in LEVELS]), fps=10.0)
    first, second = ([frame.image for frame in media.frames] for _ in range(2))
    assert len(first) == 6
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("fps", "count"), [(5.0, 3), (10.0, 6), (20.0, 12)])
def test_the_rate_of_frames_is_what_was_asked_for(
    make_clip: MakeClip, fps: float, count: int
) -> None:
    times, _ = shown(make_clip("a.mp4", pictures=[flat(x) for x in LEVELS]), fps)
    assert times == [round(i / fps, 6) for i in range(count)]


def test_a_frame_is_shown_until_the_next_one_however_long_that_takes(make_clip: MakeClip) -> None:
    when = [0, 0.1, 0.2, 1.0, 1.1, 1.5]
    clip = make_clip("a.mkv", pictures=[flat(x) for x in LEVELS], times=when)
    media = open_media(clip, fps=10.0)
    assert "variable frame rate" in media.notes
    times, levels = shown(clip, 10.0)
    expected = [LEVELS[max(i for i, w in enumerate(when) if w <= t + 1e-6)] for t in times]
    assert times[:16] == [round(i / 10, 6) for i in range(16)]
    assert levels == expected


@pytest.mark.parametrize(
    ("rotation", "corner"), [(None, (0, 0)), (90, (1, 0)), (-90, (0, 1)), (180, (1, 1))]
)
def test_a_turned_video_is_turned_back(
    make_clip: MakeClip, rotation: int | None, corner: tuple[int, int]
) -> None:
    """The top left corner is white: turned counterclockwise by 90 degrees it is at the bottom."""
    picture = flat(0, 64, 96)
    picture[:32, :48] = 255
    clip = make_clip("phone.mp4", pictures=[picture] * 3, rotation=rotation)
    frame = next(iter(open_media(clip, fps=10.0).frames))
    sideways = rotation in (90, -90)
    assert frame.image.shape == ((96, 64, 3) if sideways else (64, 96, 3))
    assert frame.image.flags.c_contiguous
    quarters = [np.hsplit(half, 2) for half in np.vsplit(frame.image[:, :, 0].astype(float), 2)]
    bright = {(i, j): quarters[i][j].mean() for i in (0, 1) for j in (0, 1)}
    assert max(bright, key=bright.get) == corner
    assert bright[corner] > 200


def test_pixels_become_square_and_large_frames_small(make_clip: MakeClip) -> None:
    clip = make_clip("dvd.mkv", pictures=[flat(99, 64, 48)] * 3, aspect=Fraction(2, 1))
    assert next(iter(open_media(clip, fps=10.0).frames)).image.shape == (64, 96, 3)
    small = next(iter(open_media(clip, Limits(side=48), fps=10.0).frames))
    assert small.image.shape == (32, 48, 3)
    with pytest.raises(InfofuseError, match="frames of 48 x 64 pixels, and up to 1,000"):
        list(open_media(clip, Limits(pixels=1000), fps=10.0).frames)


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg", "m4a", "mkv"])
def test_sound_alone(make_clip: MakeClip, ending: str) -> None:
    rate = 48_000
    stereo = np.stack([tone(300, 0.5, rate), tone(300, 0.5, rate)])
    media = open_media(make_clip(f"a.{ending}", sound=stereo, rate=rate), fps=10.0)
    assert list(media.frames) == []
    assert media.notes == ["no video stream"]
    assert frequency(media.waveform) == pytest.approx(300, abs=3)
    assert np.abs(media.waveform[2000:-3000]).max() == pytest.approx(0.5, abs=0.05)
    assert media.seconds == pytest.approx(0.5, abs=0.08)


def test_sound_that_begins_late_keeps_its_time(make_clip: MakeClip) -> None:
    pictures = [flat(99)] * 20
    clip = make_clip("late.mkv", sound=tone(440, 1.0), begins=0.8, pictures=pictures)
    wave = open_media(clip, fps=10.0).waveform
    onset = np.flatnonzero(np.abs(wave) > 0.1)[0] / 16_000
    assert onset == pytest.approx(0.8, abs=0.05)


def test_a_silent_track_counts_as_none(make_clip: MakeClip) -> None:
    clip = make_clip("a.mp4", sound=np.zeros(8000, "f4"), pictures=[flat(99)] * 5)
    media = open_media(clip, fps=10.0)
    assert len(media.waveform) == 0
    assert media.notes == ["the sound is silent, which counts as none"]


@pytest.mark.parametrize("second", [-1.0, -0.9])
def test_of_channels_that_cancel_one_is_read(make_clip: MakeClip, second: float) -> None:
    sound = tone(440, 0.5)
    media = open_media(make_clip("a.wav", sound=np.stack([sound, second * sound])), fps=10.0)
    said = "the 2 channels of the sound cancel each other: channel 1 is read"
    assert media.notes == ["no video stream", said]
    np.testing.assert_allclose(media.waveform, sound, atol=1e-3)


@pytest.mark.parametrize("second", [tone(440, 0.5), np.zeros(8000, "f4"), tone(700, 0.5)])
def test_of_channels_that_do_not_cancel_the_mean_is_read(
    make_clip: MakeClip, second: np.ndarray
) -> None:
    sound = tone(440, 0.5)
    media = open_media(make_clip("a.wav", sound=np.stack([sound, second])), fps=10.0)
    assert media.notes == ["no video stream"]
    np.testing.assert_allclose(media.waveform, (sound + second) / 2, atol=1e-3)


def test_of_several_tracks_the_first_with_sound_is_read(tmp_path: Path) -> None:
    import av

    path = tmp_path / "tracks.mkv"
    sounds = [np.zeros(8000, "f4"), tone(440, 0.5), tone(700, 0.5)]
    with av.open(str(path), "w") as out:
        tracks = [out.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in sounds]
        for track, sound in zip(tracks, sounds, strict=True):
            samples = (sound * 32767).astype("i2")[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.rate, frame.pts = 16_000, 0
            out.mux(track.encode(frame))
            out.mux(track.encode(None))
    media = open_media(path, fps=10.0)
    assert frequency(media.waveform) == pytest.approx(440, abs=3)
    told = "3 audio tracks: the first with sound, track 2, is read"
    assert media.notes == ["no video stream", told]


@pytest.mark.parametrize(
    ("riff", "data"),
    [
        (0, 0),
        (36, 0),
        (0x7FFFF024, 0x7FFFF000),
        (0x7FFFFFFF, 0x7FFFFFDB),
        (0x80000024, 0x80000000),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFE, 0xFFFFFFDA),
    ],
)
def test_sound_from_a_pipe_is_read_to_its_end(riff: int, data: int, tmp_path: Path) -> None:
    sound = tone(440, 1.0)
    form = struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + form + b"data"
    path = tmp_path / "piped.wav"
    path.write_bytes(head + struct.pack("<I", data) + (sound * 32767).astype("<i2").tobytes())
    media = open_media(path, fps=10.0)
    assert media.notes == ["no video stream"]
    np.testing.assert_allclose(media.waveform, sound, atol=1e-3)


def test_pictures_alone(make_clip: MakeClip) -> None:
    media = open_media(make_clip("a.mp4", pictures=[flat(99)] * 5), fps=10.0)
    assert len(media.waveform) == 0
    assert media.notes == ["no audio stream"]
    assert media.seconds == pytest.approx(0.5)


def test_a_clip_of_a_fifth_of_a_second(make_clip: MakeClip) -> None:
    media = open_media(make_clip("a.mp4", sound=tone(440, 0.2), pictures=[flat(9)] * 2), fps=12.5)
    assert media.seconds == pytest.approx(0.2, abs=0.07)
    assert [frame.time for frame in media.frames] == [0, 0.08, 0.16]


def test_what_is_too_long_is_cut_with_a_note(make_clip: MakeClip) -> None:
    clip = make_clip("a.mp4", sound=tone(440, 2.0), pictures=[flat(99)] * 20)
    media = open_media(clip, Limits(seconds=0.5), fps=10.0)
    assert media.seconds == 0.5
    assert len(media.waveform) == 8000
    assert [frame.time for frame in media.frames] == [0, 0.1, 0.2, 0.3, 0.4]
    assert media.notes == ["cut at 0.5 s of 2 s"]


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    wave = tone(440, 0.5)
    wave[100:200] = np.nan
    body = wave.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 64_000, 4, 32)
    riff = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(body)) + body
    )
    path = tmp_path / "nan.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    media = open_media(path, fps=10.0)
    assert "samples that are no numbers count as silence" in media.notes
    assert (media.waveform[100:200] == 0).all()
    assert media.waveform[300] == wave[300]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "wav", "avi"])
@pytest.mark.parametrize("part", [0.3, 0.6])
def test_a_file_that_is_cut_short_is_refused(make_clip: MakeClip, ending: str, part: float) -> None:
    pictures = [] if ending == "wav" else [flat(x % 250) for x in range(40)]
    clip = make_clip(f"a.{ending}", sound=tone(440, 4.0), pictures=pictures)
    content = clip.read_bytes()
    clip.write_bytes(content[: round(part * len(content))])
    with pytest.raises(InfofuseError, match=r"cut short|cannot be read as sound or video"):
        open_media(clip, fps=10.0)


def test_a_damaged_middle_is_refused_or_noted(make_clip: MakeClip) -> None:
    clip = make_clip("a.mp4", sound=tone(440, 4.0), pictures=[flat(99)] * 40)
    content = bytearray(clip.read_bytes())
    middle = slice(len(content) // 4, 3 * len(content) // 4)
    content[middle] = np.random.default_rng(0).bytes(middle.stop - middle.start)
    clip.write_bytes(bytes(content))
    with pytest.raises(InfofuseError, match="is damaged"):
        list(open_media(clip, fps=10.0).frames)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"hello there\n" * 100),
        ("noise.wav", np.random.default_rng(0).bytes(5000)),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\na.mp4\n#EXT-X-ENDLIST\n"),
        ("list.mp4", b"ffconcat version 1.0\nfile a.mp4\n"),
    ],
)
def test_what_is_no_media_file_is_refused(make_clip: MakeClip, name: str, content: bytes) -> None:
    """Lists of other files are, too: a file must not name what else is read."""
    path = make_clip("a.mp4", pictures=[flat(9)] * 3).parent / name
    path.write_bytes(content)
    with pytest.raises(InfofuseError, match=rf"{name} cannot be read as sound or video"):
        open_media(path, fps=10.0)


def test_files_that_are_none(tmp_path: Path, make_clip: MakeClip) -> None:
    (tmp_path / "empty.mp4").touch()
    os.mkfifo(tmp_path / "pipe.mp4")
    for path, why in {
        tmp_path / "none.mp4": "there is no file",
        tmp_path / "empty.mp4": "is empty",
        tmp_path: "is no file; name a media file",
        tmp_path / "pipe.mp4": "is no file; name a media file",
    }.items():
        with pytest.raises(InfofuseError, match=why):
            open_media(path, fps=10.0)
    clip = make_clip("a.wav", sound=tone(440, 1.0))
    with pytest.raises(InfofuseError, match="32,078 bytes, and up to 1,000 are read"):
        open_media(clip, Limits(bytes=1000), fps=10.0)
    with pytest.raises(InfofuseError, match="more than 3 packets"):
        open_media(clip, Limits(packets=3), fps=10.0)


def test_real_clips(shared: Path) -> None:
    clips = shared / "data/clips"
    media = open_media(clips / "mosi_Oz06ZWiO20M_6.mp4", fps=12.5)
    assert media.seconds == pytest.approx(7.5)
    assert sum(1 for _ in media.frames) == 94
    assert len(media.waveform) / 16_000 == pytest.approx(7.44, abs=0.01)
    assert open_media(clips / "mosi_03bSnISJMiM_1.wav", fps=5.0).notes == ["no video stream"]
    silent = open_media(clips / "pyfeat_wl.mp4", fps=5.0)
    assert "the sound is silent, which counts as none" in silent.notes
