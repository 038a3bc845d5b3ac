"""The service as its callers meet it: a real process, real requests, right and wrong ones."""

import contextlib
import select
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from services import TOKEN, Running, socket_to, strange
from strange import made

from infofuse.cli import main
from infofuse.predict import Predictor, predict_extracted
from infofuse.serve.limits import Limits
from infofuse.serve.question import echo
from infofuse.types import Clips, Sample

WORDS = ("great", "awful", "a film", "boring", "lovely", "I", "he", "was", "so", "not")


def text_of(i: int) -> str:
    rng = np.random.default_rng(i)
    return " ".join(rng.choice(WORDS, 1 + i % 12)) + f" {i}"


def runs(process: psutil.Process) -> bool:
    """Whether it does; one that has ended may wait for ever for a parent that asks of it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_200_requests_8_at_a_time_get_their_own_answers(
    service: Running, predictor: Predictor
) -> None:
    samples = [Sample("clip", {}, text_of(i)) for i in range(130)]
    rows = np.random.default_rng(0).standard_normal((50, 4, 59)).astype(np.float32)
    samples += [Sample("clip", {"vision": row}, "") for row in rows]
    samples += [made(0.5 + i / 20, i / 10 - 1, text_of(i)).sample for i in range(20)]

    def ask(i: int) -> httpx.Response:
        sample = samples[i]
        if i >= 180:
            clip = f"answer {0.5 + (i - 180) / 20} {(i - 180) / 10 - 1}"
            return service.send(clip.encode(), text=sample.text)
        features = {m: v.tolist() for m, v in sample.features.items()}
        return service.ask(text=sample.text, features=features)

    order = np.random.default_rng(1).permutation(200).tolist()
    with ThreadPoolExecutor(8) as eight:
        answers = dict(zip(order, eight.map(ask, order), strict=True))
    spec = predictor.spec
    expected = predictor(Clips.of(samples, spec.features, spec.outputs))
    assert len({round(found.scores[0], 5) for found in expected}) > 150
    for i, answer in answers.items():
        assert answer.status_code == 200, answer.text
        assert answer.json()["prediction"]["scores"] == pytest.approx(expected[i].scores, abs=2e-6)


def test_a_clip_is_answered_as_the_predictor_does_and_asked_again(
    service: Running, predictor: Predictor
) -> None:
    answer = service.send(b"answer 7 0.25", text="a lovely film", features="true").json()
    expected = predict_extracted(predictor, made(7.0, 0.25, "a lovely film"), window=3.0, hop=1.0)
    assert len(answer["timeline"]) == len(expected.timeline) == 5
    for there, here in zip(answer["timeline"], expected.timeline, strict=True):
        assert [there["start"], there["end"]] == [here.start, here.end]
        assert there["prediction"]["scores"] == pytest.approx(here.prediction.scores, abs=1e-5)
    again = service.ask(**answer["extracted"]).json()
    assert again["prediction"]["scores"] == pytest.approx(answer["prediction"]["scores"], abs=1e-4)
    assert [m["start"] for m in again["timeline"]] == [m["start"] for m in answer["timeline"]]
    alone = service.ask(**answer["extracted"] | {"only": ["audio"]}).json()["prediction"]
    assert alone["present"] == ["audio"]
    assert alone["scores"] == pytest.approx(answer["prediction"]["alone"]["audio"], abs=1e-4)
    assert alone["scores"] != pytest.approx(answer["prediction"]["scores"], abs=1e-4)


def test_what_would_be_too_large_to_send_back_is_left_out(service: Running) -> None:
    answer = service.send(b"answer 60 0.25", features="true").json()
    assert answer["extracted"] is None
    assert any("cannot be switched off" in note for note in answer["notes"])


def test_steps_that_end_beyond_a_clip_are_sent_back_as_ending_with_it() -> None:
    """As the last frame does of a clip that was cut between two frames."""
    clip = made(3.0, 0.5)
    beyond = {"audio": clip.times["audio"] + 0.04}
    sent = echo(replace(clip, times=beyond), Limits())
    assert sent is not None
    assert sent["times"]["audio"][-1] == pytest.approx((2.94, 3.0))
    assert sent["times"]["audio"][0] == pytest.approx((0.04, 0.14))


def test_words_in_a_file_count_as_words(service: Running) -> None:
    files = {"clip": b"answer 1 0", "transcript": b"an awful film"}
    found = service.client.post("/predict", files=files).json()
    assert found["prediction"]["present"] == ["text", "audio"]
    same = service.send(b"answer 1 0", text="an awful film").json()
    assert found == same


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "not JSON"),
        (b'{"text": "a', 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b'{"text": "\\ud800"}', 400, "not JSON"),
        (b'{"text": "\xff"}', 400, "not JSON"),
        (b"[]", 422, "the body"),
        (b'{"text": 1}', 422, "text: "),
        (b'{"txt": "a"}', 422, "txt: "),
        (b'{"text": "  "}', 422, "nothing in it"),
        (b"{}", 422, "nothing in it"),
        (b'{"text": "a", "only": ["vison"]}', 422, "did you mean 'vision'"),
        (b'{"text": "a", "only": ["vision"]}', 422, "nothing in it"),
        (b'{"text": "a", "only": []}', 422, "nothing in it"),
        (b'{"features": {"audio": [[1]]}}', 422, "1 numbers in step 0, and the model reads 42"),
        (b'{"features": {"smell": [[1]]}}', 422, "unknown feature modality 'smell'"),
        (b'{"features": {"vision": [[' + b"1," * 58 + b"NaN]]}}", 422, "finite"),
        (b'{"features": {"vision": [[' + b"1," * 58 + b"1e99]]}}", 422, "beyond"),
        (b'{"features": {"vision": [[1,1,1,1,1,1,1,"1"]]}}', 422, "number"),
        (b'{"text": "a", "times": {"audio": [[0, 1]]}}', 422, "there are 0 steps"),
        (b'{"text": "a", "seconds": 1e9}', 422, "at most 30 s"),
        (b'{"features": {"vision": [[' + b"1," * 58 + b'1]]}, "seconds": 9}', 422, "is missing"),
        (b'{"text": "' + b"a" * 10_001 + b'"}', 422, "10001 characters"),
        (b'{"words": [{"text": "' + b"a" * 10_001 + b'"}]}', 422, "10001 characters"),
        (b'{"words": [' + b'{"text": ""},' * 10_002 + b'{"text": ""}]}', 422, "10002 characters"),
    ],
)
def test_what_is_no_question_gets_a_sentence(
    service: Running, body: bytes, status: int, sentence: str
) -> None:
    kind = {"content-type": "application/json"}
    answer = service.client.post("/predict", content=body, headers=kind)
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ({"data": {"text": "a"}}, 415, "send application/json"),
        ({"files": {"clop": b"answer 1 0"}}, 422, "did you mean 'clip'"),
        ({"files": {"transcript": b"a"}}, 422, "no clip"),
        ({"files": [("clip", b"answer 1 0"), ("clip", b"answer 1 0")]}, 422, "2 fields clip"),
        ({"files": [("clip", b"a")] * 3}, 400, "Too many files"),
        ({"files": {"clip": b"a"}, "data": {"features": "yes"}}, 422, "true or false"),
        ({"files": {"clip": b"a"}, "data": {"only": "txt"}}, 422, "did you mean 'text'"),
        ({"files": {"clip": b"a"}, "data": {"text": "a" * 10_001}}, 422, "10001 characters"),
        ({"files": {"clip": b"fail"}}, 422, "its decoder ended"),
    ],
)
def test_what_is_no_form_gets_a_sentence(
    service: Running, options: dict[str, Any], status: int, sentence: str
) -> None:
    answer = service.client.post("/predict", **options)
    assert answer.status_code == status, answer.text
    assert sentence in answer.json()["error"]
    assert "secret" not in answer.text


def test_a_body_beyond_the_limit_is_cut_off(service: Running) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="clip"; filename="a"\r\n\r\n'
        while True:
            sent += 2**14
            yield b"x" * 2**14

    assert service.send(b"x" * 2**20).status_code == 413
    assert service.ask(text="x" * 2**19).status_code == 413
    kind = {"content-type": "multipart/form-data; boundary=b"}
    try:
        status = service.client.post("/predict", content=endless(), headers=kind).status_code
    except httpx.TransportError:  # it was cut off before the answer could be read
        status = 413
    assert status == 413
    assert sent > 2**18
    assert service.works()


def trickle(port: int, first: bytes, more: bytes) -> bytes:
    """What a server says to a client that sends a few bytes every tenth of a second."""
    end = time.monotonic() + 30
    with socket_to(port) as connection:
        connection.sendall(first)
        while time.monotonic() < end:
            if select.select([connection], [], [], 0.1)[0]:
                return connection.recv(65536)
            connection.sendall(more)
    raise AssertionError("the service still listens")


HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("first", "more", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"a", b"408"),
        (HEAD + b"Content-Length: 1000\r\n\r\n{", b" ", b"408"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"408"),
    ],
)
def test_a_client_that_trickles_is_sent_away(
    service: Running, first: bytes, more: bytes, status: bytes
) -> None:
    assert status in trickle(service.port, first, more).split(b"\r\n")[0]


def test_two_hundred_slow_clients_do_not_keep_others_out(service: Running) -> None:
    slow = [socket_to(service.port) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert service.ask(text="a film").status_code == 200
    for connection in slow:
        assert b"408" in connection.recv(4096)
        connection.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(service: Running, garbage: bytes) -> None:
    said = service.say(garbage)
    assert said.split(b" ")[1:2] in ([b"400"], [b"408"], [b"421"], []), said
    assert b"Traceback" not in said
    assert service.ask(text="a").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example"}, 421),
        ({"host": "[::1"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
    ],
)
def test_pages_of_other_sites_get_nothing(
    service: Running, headers: dict[str, str], status: int
) -> None:
    answer = service.client.post("/predict", json={"text": "a"}, headers=headers)
    assert answer.status_code == status
    own = service.client.post("/predict", json={"text": "a"}, headers={"origin": service.url})
    assert own.status_code == 200
    assert "access-control-allow-origin" not in own.headers


@pytest.mark.parametrize("path", ["page/../app.py", "page/%2e%2e/app.py", "page//etc/passwd"])
def test_nothing_but_the_page_is_served_as_a_file(service: Running, path: str) -> None:
    said = service.say(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b" 404 " in said.split(b"\r\n")[0]


def test_a_decoder_that_hangs_or_eats_memory_is_stopped(service: Running, tmp_path: Path) -> None:
    cases = {
        b"memory": (422, "more memory"),
        b"crash": (422, "SIGSEGV"),
        b"write " + str(tmp_path / "left").encode(): (422, "its decoder ended"),
    }
    for clip, (status, sentence) in cases.items():
        answer = service.send(clip)
        assert answer.status_code == status, answer.text
        assert sentence in answer.json()["error"]
        assert service.works()
    hung = service.send(b"hang")
    assert hung.status_code == 504
    assert "too long" in hung.json()["error"]
    assert service.works()
    assert (tmp_path / "left").stat().st_size == 0
    wait_until(lambda: service.decoders() == [])
    metrics = service.client.get("/metrics").text
    assert 'infofuse_requests_total{path="/predict",status="504"}' in metrics
    assert "infofuse_decoders_stopped_total 0.0" not in metrics
    assert not any(path.is_file() for path in service.scratch.rglob("*"))


def test_a_service_that_is_killed_leaves_nothing_and_starts_again(service: Running) -> None:
    answer = service.ask(text="a film").json()
    with ThreadPoolExecutor(1) as one:
        in_flight = one.submit(service.send, b"hang")
        wait_until(lambda: service.decoders() != [])
        left = [*service.helpers(), *service.decoders()]
        service.stop(signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            in_flight.result()
    assert not any(path.is_file() for path in service.scratch.rglob("*"))
    wait_until(lambda: not any(map(runs, left)), 60)  # a decoder alone ends when its time is over
    service.start()
    assert service.ask(text="a film").json() == answer
    wait_until(service.works, 120)  # the first clip waits for what decoders are forked from


def test_a_full_queue_says_when_to_come_back(guarded: Running) -> None:
    with ThreadPoolExecutor(2) as two:
        hanging = [two.submit(guarded.send, b"hang") for _ in range(2)]
        wait_until(lambda: guarded.client.get("/health").json()["inside"] == 2)
        refused = guarded.ask(text="a film")
        assert [h.result().status_code for h in hanging] == [504, 504]
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert guarded.ask(text="a film").status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/health", "/openapi.json"])
def test_who_has_no_token_gets_the_page(guarded: Running, path: str) -> None:
    assert httpx.get(guarded.url + path).status_code == 200


@pytest.mark.parametrize("path", ["/model", "/metrics", "/predict", "/nothing"])
@pytest.mark.parametrize("given", [None, "Bearer", "Bearer a", f"Basic {TOKEN}", TOKEN])
def test_who_has_no_token_gets_nothing_else(guarded: Running, path: str, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode()}
    answer = httpx.get(guarded.url + path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_who_has_the_token_may_use_any_host_name(guarded: Running) -> None:
    answer = guarded.client.get("/model", headers={"host": "models.example"})
    assert answer.json()["modalities"] == ["text", "audio", "vision"]
    assert guarded.client.get("/openapi.json").json()["security"] == [{"token": []}]


def test_so_may_a_proxy_on_this_machine(model: Path, tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {TOKEN}".encode(), "host": "models.example"}
    with strange(model, tmp_path, headers, token=TOKEN) as service:
        origin = {"origin": "https://models.example"}
        assert service.client.post("/predict", json={"text": "a"}, headers=origin).is_success


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--host", "0.0.0.0"), "others can reach the service"),
        (("--token", "a b"), "one word of ASCII"),
        (("--host", "192.0.2.1", "--token", "a"), "192.0.2.1:8000 cannot be listened at"),
    ],
)
def test_a_service_that_cannot_be_is_refused(
    model: Path,
    words: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["infofuse", "serve", str(model), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
