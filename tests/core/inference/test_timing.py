from core.checkpoints import list_checkpoints
from core.inference import Predictor
from core.inference.timing import milliseconds_per_face


def test_a_face_takes_some_time(checkpoint_root):
    predictor = Predictor.load(list_checkpoints(checkpoint_root).checkpoints[0])
    assert 0 < milliseconds_per_face(predictor, repeats=3) < 10_000
