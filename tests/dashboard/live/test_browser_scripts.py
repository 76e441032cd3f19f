"""The sentences and the lines of the live view, computed by its own scripts in Node.js."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from dashboard.live.camera_view import FOLDER, SCRIPTS

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")

# Functions of the browser that the scripts use when they are loaded or asked for a sentence.
BROWSER = """
const document = { hidden: false };
const location = { port: "8501", href: "http://ferscope.test:8501/live", protocol: "http:" };
let now = 0;
Object.defineProperty(globalThis, "performance", { value: { now: () => now, timeOrigin: 0 } });
const set = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true });
"""


def run(*statements: str) -> Any:
    """The value that the statements ``return``, after the scripts of the view."""
    scripts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS if name != "live.js")
    body = "\n".join(statements)
    program = f"{BROWSER}\n{scripts}\n(async () => {{ {body} }})().then((v) => console.log(JSON.stringify(v)));"
    node = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=False)
    assert node.returncode == 0, node.stderr
    return json.loads(node.stdout)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotReadableError", "in use by another tab or program. Close it there"),
        ("AbortError", "Close other tabs and programs"),
        ("OverconstrainedError", "Choose another one"),
        ("NotAllowedError", "Allow the camera for this page"),
        ("NewError", "could not be opened (NewError). Click Start"),
    ],
)
def test_each_way_in_which_a_camera_fails_has_its_sentence(error, sentence):
    message = run(
        f"const getUserMedia = async () => {{ throw Object.assign(new Error(), {{ name: '{error}' }}); }};",
        "set('navigator', { mediaDevices: { getUserMedia } });",
        "return await openCamera('').catch((error) => error.message);",
    )
    assert sentence in message


def test_the_chosen_one_of_several_cameras_is_opened_and_all_are_listed():
    asked, listed = run(
        "const asked = [];",
        "const devices = [['videoinput', 'a', 'Front'], ['audioinput', 'm', 'Microphone'], ['videoinput', 'b', '']];",
        "const described = devices.map(([kind, deviceId, label]) => ({ kind, deviceId, label }));",
        "set('navigator', { mediaDevices: {",
        "  getUserMedia: async (wanted) => { asked.push(wanted.video.deviceId ?? null); return {}; },",
        "  enumerateDevices: async () => described } });",
        "await openCamera('');",
        "await openCamera('b');",
        "return [asked, await listCameras()];",
    )
    assert asked == [None, {"exact": "b"}]
    assert listed == [{"id": "a", "name": "Front"}, {"id": "b", "name": "Camera 2"}]


@pytest.mark.parametrize(
    ("view", "after_ms", "sentence"),
    [
        ("{ flight: {} }", 5000, "The server has not answered for some seconds. It may be busy"),
        ("{ flight: null }", 5000, "The camera delivers no frames. Close other tabs"),
        ("{ flight: {} }", 3000, ""),
        ("{ connection: { isReady: false, failures: 1 } }", 100, "The connection to the server is interrupted"),
        ("{ state: 'opening' }", 0, "Opening the camera"),
        ("{ state: 'frozen', flight: {} }", 60_000, ""),
    ],
)
def test_a_slow_server_and_a_silent_camera_are_told_apart(view, after_ms, sentence):
    message = run(
        "const view = { state: 'live', problem: '', shown: {}, flight: null, progressAt: 0,",
        f"  connection: {{ isReady: true, failures: 0 }}, ...{view} }};",
        f"now = {after_ms};",
        "return messageOf(view);",
    )
    assert message.startswith(sentence)
    assert bool(message) == bool(sentence)


SERIES = """
const series = [["a+b", "Ensemble", 0.6], ["a", "A", null], ["b", "B", 0.6]].map(([key, title, threshold]) =>
  ({ key, title, threshold, classes: ["sad", "happy"], color: title, dash: "dot" }));
const other = { key: "c", title: "C", threshold: null, classes: ["sad", "happy", "pain"], color: "C", dash: "dot" };
const allSeries = [...series, other];
const found = { "a+b": [[0.4, 0.6], [0.45, 0.55]], a: [[0.7, 0.3], [0.7, 0.3]], b: [[0.1, 0.9], [0.2, 0.8]] };
"""


@pytest.mark.parametrize(
    ("number", "text"), [(0, "happy 55 %, unsure"), (1, "sad 70 %"), (2, "happy 80 %"), (3, "no prediction")]
)
def test_a_prediction_below_the_threshold_of_its_series_is_unsure(number, text):
    assert run(SERIES, f"return Picture.prototype.prediction({{ series: found }}, allSeries[{number}]);") == text


@pytest.mark.parametrize(("selected", "after"), [(2, 5), (5, 9), (9, 2), (4, 5), ("undefined", 2)])
def test_the_faces_are_selected_one_after_another(selected, after):
    assert run(f"return trackAfter({selected}, [{{ track: 9 }}, {{ track: 2 }}, {{ track: 5 }}]);") == after


def test_recorded_rows_name_the_classes_because_several_ensembles_have_one_name():
    lines = run(
        "const recording = new Recording();",
        "const series = [['a+b', 'FER7', ['sad', 'happy']], ['c+d', 'FERPLUS8', ['happy', 'contempt']]].map(",
        "  ([key, labels, classes]) => ({ key, labels, classes, network: 'ensemble' }));",
        "const face = { track: 1, box: [1, 2, 3, 4], score: 1, detected: true,",
        "  series: { 'a+b': [[0.4, 0.6]], 'c+d': [[0.2, 0.8]] } };",
        "recording.add(0, { faces: [face] }, series, 1);",
        "return recording.csv();",
    ).splitlines()
    assert lines[0].endswith("detected,network,classes,expression,p_sad,p_happy,p_contempt")
    assert lines[1].endswith("true,ensemble,FER7,happy,0.4,0.6,")
    assert lines[2].endswith("true,ensemble,FERPLUS8,contempt,,0.2,0.8")


def test_the_chart_has_a_line_per_expression_or_per_network():
    values = "lines.map(({ name, color, value }) => [name, color, value({ series: found })])"
    expressions, networks = run(
        SERIES,
        "const points = [{ series: found }, { series: {} }];",
        "const options = (chart) => ({ colors: { sad: 'blue', happy: 'orange' }, chart, allSeries });",
        f"return ['expressions', 'networks'].map((c) => {{ const lines = linesOf(points, series[0], options(c)); "
        f"return {values}; }});",
    )
    assert expressions == [["sad", "blue", 0.45], ["happy", "orange", 0.55]]
    assert networks == [["Ensemble", "Ensemble", 0.55], ["A", "A", 0.3], ["B", "B", 0.8]]


@pytest.mark.parametrize(("step_ms", "gap_ms"), [(50, 1000), (1500, 3750), (9000, 5000)])
def test_a_line_is_joined_although_a_slow_server_answers_rarely(step_ms, gap_ms):
    points = f"[0, 1, 2, 3].map((n) => ({{ time: n * {step_ms} }}))"
    assert run(f"return Chart.prototype.gapMs({points});") == gap_ms


def test_a_face_is_in_the_chart_as_long_as_its_last_point_is():
    seen = run(
        "const history = new History();",
        "history.add(0, [{ track: 1, series: {} }]);",
        "history.add(9000, [{ track: 1, series: {} }]);",
        "history.add(60_000, [{ track: 2, series: {} }]);",
        "return [[1, 9000], [1, 9001], [2, 50_000], [3, 0]].map((asked) => history.wasFoundSince(...asked));",
    )
    assert seen == [True, False, True, False]
