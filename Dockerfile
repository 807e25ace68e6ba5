# The command in a container, for files and for X-Ray. The laptop's system (demo, serve) is not in it. This file was never built
# where the project is tested, for there is no Docker there; a test runs its installation without Docker.
#
#   make wheel && docker build --tag lambda-latency .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" lambda-latency report out/traces.jsonl --html out/report.html
FROM python:3.13-slim
COPY dist/lambda_latency-*.whl /wheel/
RUN pip install --no-cache-dir "$(echo /wheel/lambda_latency-*.whl)[fetch]" && rm -r /wheel
USER nobody
WORKDIR /work
ENTRYPOINT ["lambda-latency"]
