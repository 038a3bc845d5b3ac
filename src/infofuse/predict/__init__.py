"""From clips to answers, with what is possible beside them and what each modality adds."""

from infofuse.predict.clip import ClipPrediction, predict_clip, predict_extracted, predict_text
from infofuse.predict.prediction import Prediction
from infofuse.predict.predictor import Predictor
from infofuse.predict.timeline import Moment

__all__ = [
    "ClipPrediction",
    "Moment",
    "Prediction",
    "Predictor",
    "predict_clip",
    "predict_extracted",
    "predict_text",
]
