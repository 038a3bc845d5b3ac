"""A clip of a drawn face that speaks, in the two colours of nobody's skin."""

import shutil
import subprocess
import wave
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

RATE, FPS = 22_050, 12
SIZE = 320
WORDS = (
    "I liked the beginning of this film very much. But then it became boring and slow, "
    "and the end was awful."
)


def face(mouth: float, smile: float, lift: float) -> Image.Image:
    """A picture; mouth: how far it is open, smile: from -1 to 1, lift: of the brows."""
    image = Image.new("RGB", (SIZE, SIZE), (120, 140, 150))
    draw = ImageDraw.Draw(image)
    draw.ellipse((92, 20, 228, 150), fill=(52, 38, 30))  # hair
    draw.rectangle((138, 220, 182, 320), fill=(196, 150, 122))
    draw.ellipse((60, 270, 260, 420), fill=(60, 80, 110))
    draw.ellipse((98, 40, 222, 250), fill=(214, 168, 140))
    draw.pieslice((92, 20, 228, 140), 180, 360, fill=(52, 38, 30))
    for x in (134, 186):
        draw.ellipse((x - 17, 122, x + 17, 142), fill=(245, 240, 236))
        draw.ellipse((x - 8, 123, x + 8, 141), fill=(72, 52, 40))
        draw.ellipse((x - 4, 127, x + 4, 136), fill=(12, 10, 10))
        draw.arc((x - 19, 118, x + 19, 146), 190, 350, fill=(60, 40, 34), width=3)
        top = 104 - 8 * lift
        draw.arc((x - 22, top, x + 22, top + 22), 200, 340, fill=(52, 38, 30), width=5)
    draw.line((156, 140, 149, 176), fill=(184, 136, 110), width=4)
    draw.arc((144, 164, 176, 186), 20, 160, fill=(150, 104, 84), width=4)
    lips = [(128, 208 - 7 * smile), (160, 203), (192, 208 - 7 * smile), (160, 214 + 22 * mouth)]
    draw.polygon(lips, fill=(160, 82, 80))
    if mouth > 0.1:
        draw.ellipse((144, 206, 176, 208 + 16 * mouth), fill=(60, 22, 24))
    return image.filter(ImageFilter.GaussianBlur(1.6))


def speech(folder: Path) -> np.ndarray:
    """The words as espeak-ng says them; a hum where it is not installed."""
    if shutil.which("espeak-ng") is None:
        t = np.arange(8 * RATE) / RATE
        return (0.3 * np.sin(2 * np.pi * 140 * t) * np.abs(np.sin(2 * t))).astype(np.float32)
    said = folder / "said.wav"
    subprocess.run(["espeak-ng", "-s", "150", "-w", said, WORDS], check=True)
    with wave.open(str(said)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (RATE, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return sound.astype(np.float32) / 2**15


def write(path: Path) -> Path:
    """Write the clip, H.264 and AAC in MP4."""
    import av

    sound = speech(path.parent)
    count = int(len(sound) / RATE * FPS)
    loud = [float(np.abs(part).mean()) for part in np.array_split(sound, count)]
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=FPS)
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        audio = out.add_stream("aac", rate=RATE, layout="mono")
        for i, level in enumerate(loud):
            drawn = face(min(1.0, 12 * level), np.cos(3 * i / count), np.sin(0.4 * i) / 2)
            picture = av.VideoFrame.from_image(drawn)
            picture.pts, picture.time_base = i, Fraction(1, FPS)
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        resampler = av.AudioResampler("fltp", "mono", RATE, frame_size=1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(audio.encode(piece))
        out.mux(audio.encode(None))
    return path
