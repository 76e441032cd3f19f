"""Every endpoint answers generated requests as the served OpenAPI document states."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

load_all_checks()
# A generated body is no photo, and a generated name no network: refusing it is right. Status 503 is documented.
NOT_APPLICABLE = [CHECKS.get_one(name) for name in ("positive_data_acceptance", "not_a_server_error")]
GENERATED = settings(
    max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)


def test_every_endpoint_answers_as_documented(address, monkeypatch):
    monkeypatch.setenv("FERSCOPE_YUNET", "/missing.onnx")  # so that nothing is downloaded
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    checked = []
    for operation in (found.ok() for found in schema.get_all_operations()):

        @GENERATED
        @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)))
        def check(case):
            answer = case.call()
            assert answer.status_code != 500
            case.validate_response(answer, excluded_checks=NOT_APPLICABLE)

        check()
        checked.append(operation.label)
    assert {"POST /predict", "POST /explain", "GET /models", "GET /ready", "GET /metrics"} <= set(checked)
