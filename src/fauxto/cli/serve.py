"""`fauxto serve`: the HTTP service. Needs the extra `serve`."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from fauxto.choices import LogLevel
from fauxto.cli.options import FetchUrls, takes_detector_options
from fauxto.cores import cores
from fauxto.options import DetectorOptions

_PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "httpx")


Host = Annotated[str, typer.Option(help="Address to listen on; addresses other than this machine's need --keys.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
Keys = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with the accepted API keys.", show_default="none")
]
NewKey = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Create a key with this name, add its hash to --keys, print it once, and exit."),
]
Rate = Annotated[int, typer.Option(min=1, help="Pictures per minute and key.")]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Worker processes that open pictures.", show_default="one per core")
]
WorkerMemory = Annotated[int, typer.Option(min=256, help="Memory of each worker for pictures, in MiB.")]
Queue = Annotated[int, typer.Option(min=0, help="Requests that may wait; more are told to retry.")]
MaxMegabytes = Annotated[int, typer.Option(min=1, max=200, help="Largest picture file, in MiB.")]
MaxFiles = Annotated[int, typer.Option(min=1, max=1000, help="Pictures in one batch.")]
MaxSeconds = Annotated[float, typer.Option(min=1, help="Most processor time per picture, in seconds.")]
Logged = Annotated[LogLevel, typer.Option(help="info: one line per request; warning: problems only.")]


@takes_detector_options
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    keys: Keys = None,
    new_key: NewKey = None,
    rate: Rate = 600,
    workers: Processes = None,
    worker_memory: WorkerMemory = 2048,
    queue: Queue = 64,
    max_megabytes: MaxMegabytes = 25,
    max_files: MaxFiles = 100,
    max_seconds: MaxSeconds = 20,
    fetch_urls: FetchUrls = False,
    log_level: Logged = LogLevel.INFO,
    *,
    options: DetectorOptions,
) -> None:
    """Serve verdicts over HTTP, to this machine or, with keys, to others.

    The service documents itself at /docs.
    """
    from fauxto.errors import ConfigError, MissingExtraError

    if not all(map(find_spec, _PACKAGES)):
        raise MissingExtraError("serve", "the service")

    from fauxto.service.keys import new_key as make_key
    from fauxto.service.run import serve as run
    from fauxto.service.settings import MEBIBYTE, Settings

    if new_key is not None:
        if keys is None:
            raise ConfigError("--new-key needs the file to add it to: --keys FILE")
        typer.echo(make_key(keys, new_key))
        return
    limits = replace(options.limits, max_bytes=max_megabytes * MEBIBYTE, max_seconds=max_seconds)
    settings = Settings(
        detector=replace(options, limits=limits),
        workers=workers or cores(),
        worker_bytes=worker_memory * MEBIBYTE,
        queue=queue,
        max_files=max_files,
        keys=keys,
        rate=rate,
        fetch_urls=fetch_urls,
    )
    run(settings, host, port, log_level=log_level.value)
