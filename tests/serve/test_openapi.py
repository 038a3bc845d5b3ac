"""What /openapi.json promises is what the service does, for requests that fit it and that do not."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from services import Running

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
from schemathesis.specs.openapi.checks import positive_data_acceptance  # noqa: E402

SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture
def api(service: Running) -> Any:
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


@schemathesis.pytest.from_fixture("api").parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=SLOW)
def test_every_operation_keeps_its_promise(case: Any) -> None:
    """A request that fits may be refused still: random bytes are no clip, and {} asks nothing."""
    case.call_and_validate(excluded_checks=[positive_data_acceptance])


def test_it_is_of_the_model_at_hand(service: Running) -> None:
    described = service.client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/predict", "/model", "/health", "/metrics"}
    content = described["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    steps = content["application/json"]["schema"]["properties"]["features"]["properties"]
    widths = {name: steps[name]["items"]["minItems"] for name in steps}
    assert widths == service.client.get("/model").json()["features"] == {"audio": 42, "vision": 59}
