# docker build -t mgmtool .            docker build --build-arg EXTRAS=[s3] -t mgmtool .
# docker run --rm -v /data:/data --user "$(id -u):$(id -g)" mgmtool extract /data/videos -o /data/masks.zarr

FROM python:3.13-slim AS build
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.13-slim
ARG EXTRAS=""
COPY --from=build /wheel /wheel
RUN pip install --no-cache-dir "$(echo /wheel/*.whl)${EXTRAS}" && rm -r /wheel \
    && useradd --create-home --uid 1000 mgmtool
# Kernels are compiled once a container, or once for all where this folder is a volume.
ENV NUMBA_CACHE_DIR=/tmp/numba PYTHONDONTWRITEBYTECODE=1
USER mgmtool
WORKDIR /data
ENTRYPOINT ["mgmtool"]
CMD ["--help"]
