"""The HTTP service: `fauxto serve`. Needs the extra `serve`; docs/reference/http.md is its contract.

settings.py     settings and their defaults
app.py          the routes
guard.py        middleware: request id, authorisation, headers, log line
body.py         the bytes of a request -> uploads in memory, within caps and time
line.py         limits on waiting requests and held bytes
pool.py         worker processes: dispatch, timeouts, replacement
worker.py       one such process: the only place where untrusted bytes are opened
frames.py       messages between pool and workers
keys.py         API keys and rate limits
problems.py     errors as problem documents (RFC 9457)
metrics.py      metrics for Prometheus
logs.py         one JSON object per line
query.py        the choices in a request's query: model, operating point
examples.py     example reports
openapi.py      the API description for machines
page.py         the same for people: /docs, without scripts or third-party hosts
connections.py  uvicorn's protocol for HTTP, with timeouts for slow clients
run.py          uvicorn, set up for this service
"""
