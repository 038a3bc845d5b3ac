"""Small folders of two clips in the layouts of tables."""

from pathlib import Path

import datasets
import numpy as np

datasets.disable_progress_bars()


def clip_csv(folder: Path) -> None:
    text = "id,label,text,split,label_T\na_1,1.5,good,train,0\nb_1,-2,,test,\n"
    (folder / "clips.csv").write_text(text)
    (folder / "audio").mkdir()
    np.save(folder / "audio" / "a_1.npy", np.ones((2, 3), np.float32))
    np.savez_compressed(folder / "b_1.npz", face=np.ones((2, 3)), text=np.ones(2))


def fet(folder: Path) -> None:
    text = "video_id,clip_id,text,label,label_T,annotation,mode\nv,01,hi,0.2,0,Weak,train\n"
    (folder / "label.csv").write_text(text + "v,02,ho,0.2,0,Weak,valid\n")
    (folder / "features" / "vision" / "v").mkdir(parents=True)
    np.save(folder / "features" / "vision" / "v" / "01.npy", np.ones((2, 3)))


def mertools(folder: Path) -> None:
    labels = {"a_1": {"emo": "sad", "val": np.float64(1)}, "b_1": {"emo": 0, "val": -10}}
    np.savez(folder / "label.npz", train_corpus=labels, test_corpus=labels)
    (folder / "transcription.csv").write_text("name,chinese,english\na_1,x,y\n")
    (folder / "features" / "hubert-FRA" / "a_1").mkdir(parents=True)
    for i in range(2):
        np.save(folder / "features" / "hubert-FRA" / "a_1" / f"{i}.npy", np.ones(3))


def audformat(folder: Path) -> None:
    text = "file,start,end,label\na,0 days 00:00:00,0 days 00:00:01.5,1\na,1.5,,2\n"
    (folder / "db.sentiment.train.csv").write_text(text)
    (folder / "db.audio.csv").write_text("file,start,end,F0\na,0,1,3.5\na,1,2,4.5\n")


def huggingface(folder: Path) -> None:
    columns = {"id": ["a", "b"], "label": [1.0, 2.0], "text": ["x", "y"]}
    set_ = datasets.Dataset.from_dict(columns | {"audio": [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]})
    datasets.DatasetDict({"train": set_, "test": set_}).save_to_disk(folder)
