"""The photo detector: a head on the front of a frozen CLIP image tower, fitted on delivered pictures.

`clip.py` reads the tower and writes networks, `delivery.py` damages pictures as their way to a reader does,
`features.py` runs the tower over a data set once, `head.py` fits what comes after it, `building.py` makes the bundle.
`copies.py`, `crops.py`, `pixel_network.py`, `sampling.py` and `state_dicts.py` are for experiments with networks that
look at pixels (benchmarks/photo_networks.py).
"""
