"""What /openapi.json promises is what the service does, for what fits it and what does not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from services import Running

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_keeps_its_promise(service: Running, mode: GenerationMode) -> None:
    """A request that fits may be refused still: random bytes are no clip, and {} asks nothing."""
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    names = [one.ok().label for one in schema.get_all_operations()]
    assert sorted(names) == ["GET /health", "GET /metrics", "GET /model", "POST /predict"]
    for name in names if mode is GenerationMode.POSITIVE else ["POST /predict"]:
        method, path = name.split()

        @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=SLOW)
        @given(schema[path][method].as_strategy(generation_mode=mode))
        def keeps(case: Any) -> None:
            case.call_and_validate(excluded_checks=[positive_data_acceptance], timeout=300)

        keeps()


def test_it_is_of_the_model_at_hand(service: Running) -> None:
    described = service.client.get("/openapi.json").json()
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    steps = content["application/json"]["schema"]["properties"]["features"]["properties"]
    widths = {name: steps[name]["items"]["minItems"] for name in steps}
    assert widths == service.client.get("/model").json()["features"] == {"audio": 42, "vision": 59}
