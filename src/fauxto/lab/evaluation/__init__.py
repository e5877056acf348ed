"""How good a trained network is: scores, figures of merit, robustness, plots and the page that shows them.

`scores` asks the network once, `metrics` are pure functions of labels and scores, `results` puts them
together as one JSON document, `robustness` repeats the measurement on damaged pictures, `plots` and
`report` draw from the JSON alone.
"""

from __future__ import annotations
