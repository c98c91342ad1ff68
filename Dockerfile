FROM node:22-slim AS client
WORKDIR /client
COPY client/package.json client/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY client ./
RUN npm run build

FROM python:3.13-slim
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
RUN SECRET_KEY=build ALLOWED_HOSTS=build python manage.py collectstatic --no-input --verbosity=0
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "-c", "config/gunicorn.conf.py"]
