# One image for every process: the command says which. `docker run tradewind api`, `… worker`, `… scheduler`, `… migrate`
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/tradewind
WORKDIR /src
# The locked packages first: a layer that changes only with the lock.
COPY requirements/production.txt requirements/
RUN /opt/tradewind/bin/pip install --require-hashes --only-binary :all: --requirement requirements/production.txt
COPY . .
RUN /opt/tradewind/bin/pip install --no-deps .

FROM python:3.13-slim
# As a number, so that an orchestrator can see that it is not root.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tradewind
COPY --from=build /opt/tradewind /opt/tradewind
ENV PATH=/opt/tradewind/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tradewind"]
CMD ["api", "--host", "0.0.0.0"]
