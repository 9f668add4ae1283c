"""Test the page in headless Chromium: its answers are those of `zoo predict`."""

import os
import shutil
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
import uvicorn
from PIL import Image

import zoo
from tests.serving.conftest import HELLO, LASER
from tests.serving.test_page import READER
from zoo.common.presets import store
from zoo.serving.app import create_app
from zoo.serving.models import Models
from zoo.serving.page import export_page
from zoo.serving.server import open_port
from zoo.serving.settings import Settings

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

RECOGNIZER = "speech/bilstm-ctc-an4"
DETECTOR, CAPTIONER = "speech/bilstm-fsdd", "vision_language/attend-and-tell-rsicd"
VECTORS, WORDS = "language/skipgram-enwiki", "language/lstm-small-ptb"
# Without the last flags, the browser looks for hosts of its maker.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
DONE = "#status:has-text('Answered'), #status.error"
TIMEOUT = 120_000  # ms


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Return the settings of a server with presets of several kinds, two of which run in a browser."""
    folder = tmp_path_factory.mktemp("exports")
    for preset in (READER, RECOGNIZER):
        zoo.export(preset, "onnx", folder / preset.partition("/")[2])
    presets = (f"reader={folder}/blstm-ctc-gw-online", f"speech={folder}/bilstm-ctc-an4")
    return Settings((*presets, f"hello={HELLO}", f"laser={LASER}"))


@contextmanager
def running(settings):
    """Yield the address of a running server."""
    listener = open_port("127.0.0.1", 0)
    config = uvicorn.Config(create_app(settings), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def server(exports):
    """Return the address of a running server."""
    with running(exports) as address:
        yield address


@pytest.fixture(scope="module")
def other_server():
    """Return the address of a server with presets of further kinds."""
    presets = (f"digits={DETECTOR}", f"words={VECTORS}", f"news={WORDS}", f"photo={CAPTIONER}")
    with running(Settings(presets)) as address:
        yield address


@pytest.fixture
def open_page(server, tmp_path, clips):
    """Return a function that opens the page at a preset, with a recording as the microphone."""
    samples, rate = soundfile.read(clips[0])
    soundfile.write(tmp_path / "microphone.wav", np.pad(samples, (0, 20 * rate)), rate)
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={tmp_path}/microphone.wav"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=flags)

        def open_at(preset, address=server, **options):
            page = browser.new_page(**options)
            page.set_default_timeout(TIMEOUT)
            page.goto(f"{address}/#{preset}")
            page.wait_for_selector("#preset-name")
            return page

        yield open_at
        browser.close()


def answer_of(page) -> str:
    """Return the answer that the page shows, after a check that the status line has no error."""
    page.wait_for_selector(DONE)
    assert page.inner_text("#status").startswith("Answered")
    return page.inner_text("#answer")


def loops() -> list:
    """Return strokes that look like "lo"."""
    angles = np.linspace(0, 2 * np.pi, 25)
    circle = np.stack([110 - 25 * np.sin(angles), 115 - 25 * np.cos(angles)], axis=1)
    line = np.stack([np.linspace(60, 64, 20), np.linspace(40, 140, 20)], axis=1)
    return [line.round(1).tolist(), circle.round(1).tolist()]


def test_features_of_a_drawing_equal_those_of_the_zoo(open_page):
    recipe = store.load_recipe(store.find(READER))
    strokes = loops()
    found = open_page("reader").evaluate(
        """async ([strokes, spacing]) => {
            const { features } = await import("/ink.js");
            return Array.from(features(strokes, spacing).data);
        }""",
        [strokes, recipe.data.spacing],
    )
    points = [[x, y, i == len(stroke) - 1] for stroke in strokes for i, (x, y) in enumerate(stroke)]
    expected = recipe.data.read_input(np.array(points, float), recipe.model)["strokes"]
    np.testing.assert_allclose(np.reshape(found, (-1, 8)), expected, atol=1e-4)


def test_a_drawn_word_is_read_in_the_browser(open_page):
    page = open_page("reader")
    box = page.locator("canvas.ink").bounding_box()
    for stroke in loops():
        (x, y), *others = stroke
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.up()
    assert answer_of(page)
    assert "in the browser" in page.inner_text("#status")


@pytest.mark.slow
def test_recordings_are_recognized_in_the_browser(open_page, clips):
    page = open_page("speech")
    expected = zoo.predict(RECOGNIZER, list(clips), options={"beam_width": 1})
    for clip, row in zip(clips, expected, strict=True):
        page.set_input_files("input[type=file]", clip)
        assert answer_of(page) == row["output"]
        page.evaluate("document.getElementById('status').textContent = ''")


@pytest.mark.slow
def test_the_microphone(open_page, clips):
    page = open_page("speech")
    page.click("text=Record")
    page.wait_for_selector("#answer .output")  # words appear while the sound arrives
    page.click("text=Stop")
    (expected,) = zoo.predict(RECOGNIZER, clips[0], options={"beam_width": 1})
    assert expected["output"].split()[0] in answer_of(page).split()


@pytest.mark.slow
def test_a_file_that_is_no_sound(open_page, tmp_path):
    path = tmp_path / "words.wav"
    path.write_text("words")
    page = open_page("speech")
    page.set_input_files("input[type=file]", path)
    page.wait_for_selector("#status.error")
    assert page.inner_text("#status") == "The browser cannot decode this file as sound."


@pytest.mark.slow
def test_a_series_is_forecast_by_the_server(open_page):
    page = open_page("laser")
    values = np.sin(np.arange(60.0)).round(3)
    page.fill("#text", "\n".join(map(str, values)))
    page.click("text=Send")
    (expected,) = zoo.predict(LASER, values)
    assert str(expected["forecast"][0])[:6] in answer_of(page)
    page.fill("#text", "one, two")
    page.click("text=Send")
    page.wait_for_selector("#status.error")


@pytest.mark.slow
def test_a_text_is_continued_token_by_token(open_page):
    page = open_page("hello")
    page.locator("#options summary").click()
    page.fill("[name=length]", "3")
    page.fill("[name=sampler]", "greedy")
    page.fill("#text", "he")
    page.click("text=Continue")
    page.wait_for_selector(DONE)
    assert page.inner_text("#answer .output") == "hello"
    probability = float(page.get_attribute(".token", "title").split()[1])
    assert 0.9 < probability <= 1


@pytest.mark.slow
def test_words_are_continued_with_their_spaces(open_page, other_server):
    page = open_page("news", other_server)
    page.locator("#options summary").click()
    page.fill("[name=length]", "12")
    page.fill("#text", "the company said")
    page.click("text=Continue")
    page.wait_for_selector(DONE)
    (expected,) = zoo.predict(WORDS, "the company said", options={"length": 12})
    assert page.text_content("#answer .output") == expected["output"]


@pytest.mark.slow
def test_the_nearest_words(open_page, other_server):
    page = open_page("words", other_server)
    page.fill("#text", "king")
    page.click("text=Send")
    near = zoo.predict(VECTORS, "king")[0]["neighbours"]
    rows = [f"{each['word']}\n{each['similarity']:.3f}" for each in near]
    assert answer_of(page).split() == "\n".join(rows).split()


@pytest.mark.slow
def test_detections_are_listed_with_their_labels(open_page, other_server, clips, tmp_path):
    samples, rate = soundfile.read(clips[0])
    soundfile.write(tmp_path / "long.wav", np.tile(samples, 5), rate)  # 4 s
    page = open_page("digits", other_server)
    page.set_input_files("input[type=file]", tmp_path / "long.wav")
    found = zoo.predict(DETECTOR, tmp_path / "long.wav")[0]["detections"]
    answer_of(page)
    rows = [row.split("\t")[-2:] for row in page.locator("#answer tr").all_inner_texts()]
    assert rows == [[each["label"], f"{each['confidence']:.3f}"] for each in found]


@pytest.mark.slow
def test_a_photograph_has_a_caption_and_a_picture_of_attention(open_page, other_server, tmp_path):
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).resize((256, 256)).save(path)
    page = open_page("photo", other_server)
    page.set_input_files("input[type=file]", path)
    (expected,) = zoo.predict(CAPTIONER, path)
    assert answer_of(page) == expected["output"]
    width = page.locator("#answer img").evaluate("image => image.naturalWidth")
    assert width > 256


@pytest.mark.slow
def test_the_server_is_gone(open_page):
    page = open_page("laser")
    page.route("**/predict*", lambda route: route.abort())
    page.fill("#text", "1\n2\n3")
    page.click("text=Send")
    page.wait_for_selector("#status.error")
    assert page.inner_text("#status") == "The server does not answer."


@pytest.mark.slow
def test_the_page_without_its_server(open_page, exports, clips, tmp_path):
    """The folder of `--export-page`, on a host that only sends files."""
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    export_page(Models(exports), tmp_path / "page")

    class Files(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "page"))

        def log_message(self, *arguments):
            pass

    host = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    page = open_page("speech", f"http://127.0.0.1:{host.server_port}")
    assert page.locator("#preset option").all_inner_texts() == ["reader", "speech"]
    page.set_input_files("input[type=file]", clips[0])
    (expected,) = zoo.predict(RECOGNIZER, clips[0], options={"beam_width": 1})
    assert answer_of(page) == expected["output"]
    host.shutdown()
