"""What happens to a picture on its way to a reader: cut, scaled, damaged, saved again.

functions.py    one function a kind of damage
protocols.py    fixed steps: clean, web and hard for every evaluation, a longer list for robustness
chain.py        random steps, for training
"""
