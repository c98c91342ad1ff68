# Four images, by target: `app` runs every line of the Procfile, `nginx` stands before it, `postgres` is a server or pgpool.
# Debian 12's nginx, PostgreSQL and pgpool are those that the tests run on.

FROM node:22-slim AS client
WORKDIR /client
COPY client/package.json client/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY client ./
RUN npm run build

FROM debian:12-slim AS postgres
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-common procps \
    && sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
    && apt-get install -y --no-install-recommends postgresql-15 pgpool2 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /run/guildhall /data/db1 /data/db2 /data/db3
COPY config/pgpool config/containers /srv/guildhall/
USER postgres
CMD ["/srv/guildhall/postgres.sh"]

FROM python:3.13-slim AS app
RUN useradd --system --uid 10001 --create-home guildhall
WORKDIR /srv/guildhall
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py ./
COPY api api
COPY config config
COPY docs/openapi.yaml docs/openapi.yaml
COPY --from=client /client/dist client/dist
ENV HOST=0.0.0.0 GUILDHALL_DATA=/var/lib/guildhall PYTHONUNBUFFERED=1
RUN install -d -o guildhall -g guildhall /var/lib/guildhall
USER guildhall
# Static files belong to the release and not to a node, so they are in the image; this needs no database.
RUN SECRET_KEY=used-for-nothing-but-this-one-command ALLOWED_HOSTS=build python manage.py collectstatic --no-input --verbosity=0
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py"]

# The list of nodes is in docker-compose.yml alone, and comes in from there.
FROM app AS rendered
ARG WEB GATEWAYS MAX_CONNECTIONS=16 PUBLIC_URL
RUN python -m config.nginx --web "$WEB" --gateways "$GATEWAYS" --max-connections "$MAX_CONNECTIONS" --behind-proxy \
    --listen 8080 --prefix /tmp --logs - > /tmp/nginx.conf

FROM debian:12-slim AS nginx
RUN apt-get update && apt-get install -y --no-install-recommends nginx && rm -rf /var/lib/apt/lists/*
COPY --from=client /client/dist /srv/guildhall/client/dist
COPY --from=rendered /tmp/nginx.conf /etc/nginx/nginx.conf
USER www-data
EXPOSE 8080
CMD ["nginx", "-p", "/tmp", "-e", "stderr", "-c", "/etc/nginx/nginx.conf"]
