"""The photo detector: heads on the front half of a frozen CLIP image tower, fitted on delivered pictures.

`clip.py` reads the tower and writes networks, `delivery.py` damages pictures as their way to a reader does,
`features.py` runs the tower over a data set once, `heads.py` fits what comes after it.
"""
