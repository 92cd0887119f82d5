# One container, one server, its engine and its store. With a GPU: docker run --gpus all …
FROM python:3.12-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends curl g++ \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 user
WORKDIR /home/user/app

COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY --chown=user . .
USER user

# Results, originals, and the engine's queue: mount a volume here to keep them.
ENV PRU_STORE_DIR=/home/user/data/store NUMBA_CACHE_DIR=/home/user/numba
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD curl --fail http://localhost:8501/_stcore/health || exit 1
CMD ["streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0"]
