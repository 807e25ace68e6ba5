# Three images. The default one has the command, for files and for X-Ray, without the laptop's system (demo, serve):
#
#   make wheel && docker build --tag lambda-latency .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" lambda-latency report out/traces.jsonl --html out/report.html
#
# Another one is the function that explains alarms, for accounts that deploy functions as images, and the third one has the
# laptop's system, too, for machines without Linux (the service `serve` of compose.yaml):
#
#   docker build --target alarm --tag lambda-latency-alarm .
#   docker build --target laptop --tag lambda-latency:laptop .
#
# This file was never built where the project is tested, for there is no Docker there; a test runs its installations without.
FROM public.ecr.aws/lambda/python:3.13 AS alarm
COPY dist/lambda_latency-*.whl /wheel/
RUN pip install --no-cache-dir "$(echo /wheel/lambda_latency-*.whl)" && rm -r /wheel
CMD ["lambda_latency.alarm.handler.handle"]

FROM python:3.13-slim AS laptop
COPY dist/lambda_latency-*.whl /wheel/
RUN pip install --no-cache-dir "$(echo /wheel/lambda_latency-*.whl)[local]" && rm -r /wheel
ENV XDG_CACHE_HOME=/cache
WORKDIR /work
ENTRYPOINT ["lambda-latency"]
CMD ["serve"]

FROM python:3.13-slim
COPY dist/lambda_latency-*.whl /wheel/
RUN pip install --no-cache-dir "$(echo /wheel/lambda_latency-*.whl)[fetch]" && rm -r /wheel
USER nobody
WORKDIR /work
ENTRYPOINT ["lambda-latency"]
