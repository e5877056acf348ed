"""The HTTP service: `fauxto serve`. Needs the extra `serve`; docs/reference/http.md is its contract.

settings.py     what may be set, and every default
app.py          the routes
guard.py        around every request: its id, who may ask, the headers, the log line
body.py         the bytes of a request -> uploads in memory, within caps and time
addresses.py    a picture by its address, where that is switched on
line.py         how much may be held and waited for at a time
pool.py         worker processes: handing out, timing out, replacing
worker.py       one such process: the only place where a stranger's bytes are opened
frames.py       how the two talk
keys.py         API keys and rates
problems.py     what goes wrong, as problem documents (RFC 9457)
metrics.py      what Prometheus may read
logs.py         one JSON object a line
openapi.py      what the routes take and give, for machines
page.py         the same for people: /docs, without scripts and without other hosts
connections.py  uvicorn's protocol for HTTP, with limits on how long a client may take
run.py          uvicorn, set up for this service
"""
