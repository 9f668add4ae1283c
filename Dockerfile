# The server of the zoo. Exports need no TensorFlow: see docs/serving.md.
#
#   docker build -t recurrent-zoo .
#   docker run --rm -p 8500:8500 -v "$PWD/exported:/models" recurrent-zoo an4=/models --host 0.0.0.0
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends libsndfile1 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /zoo
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY zoo zoo
COPY saved_models saved_models
# All packages but TensorFlow and Keras, which answer only presets without an export.
RUN pip install --no-cache-dir numpy pillow soundfile soxr tqdm onnxruntime \
        starlette uvicorn websockets prometheus-client grpcio \
    && pip install --no-cache-dir --no-deps .
RUN useradd --create-home zoo
USER zoo
EXPOSE 8500
HEALTHCHECK CMD python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8500/v2/health/ready')"
ENTRYPOINT ["zoo", "serve"]
CMD ["--help"]
