"""The page in a real browser: a clip is dropped, read, sought in, and a modality switched off."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from services import Running

for _needed in ("playwright", "axe_playwright_python", "av", "mediapipe"):
    pytest.importorskip(_needed, reason=f"needs {_needed}: pip install 'infofuse[extract,dev]'")

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from drawn import WORDS, write  # noqa: E402
from playwright.sync_api import Browser, Page, expect  # noqa: E402

PICTURES = os.environ.get("INFOFUSE_PICTURES")
"""A folder for pictures of the page, such as docs; without it they are left out."""

expect.set_options(timeout=240_000)  # enough for a busy machine


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("drawn") / "drawn.mp4")


@pytest.fixture(scope="module")
def answer(reader: Running, clip: Path) -> Any:
    """What the service answers to the clip with its words."""
    found = reader.send(clip.read_bytes(), text=WORDS, features="true")
    assert found.status_code == 200, found.text
    return found.json()


class Visit:
    """A page of the service, and what went wrong on it."""

    def __init__(self, browser: Browser, service: Running, width: int, scheme: Any) -> None:
        self.trouble: list[str] = []
        size = {"width": width, "height": 900}
        context = browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce", permissions=[]
        )
        self.page = context.new_page()
        self.page.set_default_timeout(240_000)
        self.page.on("console", lambda said: self._note(said.type != "error", said.text))
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        own = (service.url, "blob:", "data:")
        self.page.on("request", lambda asked: self._note(asked.url.startswith(own), asked.url))
        # Before the page is there: asked at the key, Chromium may open its own dialog sooner.
        self.page.on("filechooser", lambda _: None)
        self.page.goto(service.url)
        expect(self.page.locator("#model")).to_contain_text("reads text, audio, vision")

    def _note(self, fine: bool, what: str) -> None:
        if not fine:
            self.trouble.append(what)

    def picture(self, name: str) -> None:
        if PICTURES:
            self.page.wait_for_timeout(1000)  # until the player no longer shows that it seeks
            file = Path(PICTURES) / f"serve-{name}.png"
            self.page.screenshot(path=file, full_page=True)
            Image.open(file).convert("RGB").quantize(192).save(file, optimize=True)

    def end(self) -> None:
        """Nothing went wrong, nothing left the machine, nothing is wider than the window."""
        assert self.trouble == []
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0
        found = Axe().run(self.page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        self.page.context.close()


def drop(page: Page, clip: Path) -> None:
    """Drop a file on the page, as a desktop does."""
    content = base64.b64encode(clip.read_bytes()).decode()
    page.evaluate(
        """content => {
          const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
          const moved = new DataTransfer();
          moved.items.add(new File([bytes], "drawn.mp4", { type: "video/mp4" }));
          const target = document.getElementById("drop");
          for (const kind of ["dragover", "drop"]) {
            const how = { dataTransfer: moved, bubbles: true, cancelable: true };
            target.dispatchEvent(new DragEvent(kind, how));
          }
        }""",
        content,
    )


def number(score: float) -> str:
    return f"{score:+.2f}".replace("-", "−")


def time_of(page: Page) -> float:
    return page.evaluate("document.getElementById('player').currentTime")


def see_answer(page: Page, answer: Any) -> None:
    expect(page.locator("#result")).to_be_focused()
    said = answer["prediction"]
    expect(page.locator("#number")).to_have_text(number(said["scores"][0]))
    expect(page.locator("#interval")).to_contain_text("90 % interval")
    expect(page.locator("#agreement")).to_contain_text("agreement score")
    for name in said["present"]:
        row = page.locator("#modalities tr", has_text=name.capitalize())
        expect(row).to_contain_text(number(said["alone"][name][0]))
        expect(row).to_contain_text(number(said["contributions"][name][0]))
    assert page.locator("#moments tr").count() == len(answer["timeline"])


def see_without_audio(page: Page, reader: Running, answer: Any) -> None:
    left = reader.ask(**answer["extracted"] | {"only": ["text", "vision"]}).json()["prediction"]
    expect(page.locator("#changed")).to_contain_text("From text and vision alone it says")
    expect(page.locator("#number")).to_have_text(number(left["scores"][0]))


def test_a_clip_is_dropped_read_and_switched_with_a_mouse(
    browser: Browser, reader: Running, clip: Path, answer: Any
) -> None:
    visit = Visit(browser, reader, 1440, "light")
    page = visit.page
    page.get_by_role("button", name="See what the model sees").click()
    expect(page.get_by_role("alert")).to_have_text("Choose a clip, or type some words, first.")
    drop(page, clip)
    expect(page.get_by_role("status")).to_contain_text("Chosen: drawn.mp4")
    page.get_by_label("Words").fill(WORDS)
    page.get_by_role("button", name="See what the model sees").click()
    see_answer(page, answer)
    place = page.get_by_role("slider", name="Place in the clip")
    box = place.bounding_box()
    assert box is not None
    place.click(position={"x": 0.75 * box["width"], "y": 20})
    assert time_of(page) == pytest.approx(0.75 * answer["seconds"], abs=0.3)
    expect(page.locator("#now")).to_contain_text(f"{time_of(page):.1f} s: ")
    page.get_by_text("The timeline as a table").click()
    page.locator("#moments button").first.click()
    assert time_of(page) == pytest.approx(1.5, abs=0.01)
    page.get_by_text("The timeline as a table").click()
    visit.picture("1440")
    page.get_by_role("switch", name="Audio").click()
    see_without_audio(page, reader, answer)
    page.get_by_role("switch", name="Text").click()
    page.get_by_role("switch", name="Vision").click()
    expect(page.locator("#said")).to_have_text("Nothing to go by")
    expect(page.locator("#number")).to_have_text(number(answer["prediction"]["nothing"][0]))
    visit.end()


def test_the_same_by_keyboard_alone_on_a_small_dark_screen(
    browser: Browser, reader: Running, clip: Path, answer: Any
) -> None:
    visit = Visit(browser, reader, 360, "dark")
    page = visit.page
    tab_to(page, "file")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(clip)
    tab_to(page, "words")
    page.keyboard.type(WORDS)
    tab_to(page, "send")
    page.keyboard.press("Enter")
    see_answer(page, answer)
    tab_to(page, "place")
    for key, seconds in (("ArrowRight", 1.0), ("PageUp", 6.0), ("ArrowLeft", 5.0), ("Home", 0.0)):
        page.keyboard.press(key)
        assert time_of(page) == pytest.approx(seconds, abs=0.01)
    text = page.locator("#place").get_attribute("aria-valuetext") or ""
    assert text.startswith("0.0 s: ")
    page.keyboard.press("ArrowRight")
    visit.picture("360")
    page.keyboard.press("Shift+Tab")
    tab_to(page, "audio", backwards=True)
    page.keyboard.press("Space")
    see_without_audio(page, reader, answer)
    visit.end()


def tab_to(page: Page, target: str, backwards: bool = False) -> None:
    """Press Tab until the element of this id or name has the focus."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        here = page.evaluate("[document.activeElement.id, document.activeElement.name]")
        if target in here:
            return
    raise AssertionError(f"Tab does not reach {target}")


def test_words_alone_and_a_refusal(browser: Browser, reader: Running) -> None:
    visit = Visit(browser, reader, 360, "light")
    page = visit.page
    page.get_by_label("Words").fill("an awful film")
    page.get_by_role("button", name="See what the model sees").click()
    expect(page.locator("#result")).to_be_focused()
    expect(page.locator("#agreement")).to_contain_text("nothing to agree or conflict")
    expect(page.locator("#timeline-part")).to_be_hidden()
    expect(page.locator("#modalities tr", has_text="Vision")).to_contain_text("not in the clip")
    page.get_by_label("Drop a clip here").set_input_files(
        {"name": "no.mp4", "mimeType": "video/mp4", "buffer": b"no clip"}
    )
    page.get_by_role("button", name="See what the model sees").click()
    expect(page.get_by_role("alert")).to_contain_text("The clip")
    assert [t for t in visit.trouble if "422" not in t] == []
    visit.trouble.clear()
    visit.end()


def test_a_clip_is_recorded(browser: Browser, reader: Running) -> None:
    visit = Visit(browser, reader, 1440, "dark")
    page = visit.page
    page.get_by_role("button", name="Record camera").click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_role("status")).to_contain_text("Chosen: recording")
    page.get_by_role("button", name="See what the model sees").click()
    expect(page.locator("#result")).to_be_focused()
    expect(page.get_by_role("switch", name="Audio")).to_be_checked()
    visit.end()
