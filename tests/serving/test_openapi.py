"""Test the description of the interface."""


def test_document_has_each_model_with_its_options(client):
    found = client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.")
    hello = found["paths"]["/v1/presets/hello/predict"]["post"]
    names = {parameter["name"]: parameter["schema"] for parameter in hello["parameters"]}
    assert names["length"] == {"type": "integer", "default": 6}
    speech = found["paths"]["/v1/presets/speech/predict"]["post"]
    assert "application/octet-stream" in speech["requestBody"]["content"]
    assert "/v1/presets/hello/stream" in found["paths"]
    assert "/v1/presets/laser/stream" not in found["paths"]


def test_every_path_of_the_document_exists(client):
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for method in operations:
            response = client.request(method, path)
            assert response.status_code in (200, 400, 501), (method, path)


def test_page_has_the_same_paths_without_scripts(client):
    page = client.get("/docs").text
    assert "POST /v1/presets/hello/predict" in page
    assert "number of tokens to generate" in page
    assert "<script" not in page
