"""Packs the views of train (two degraded variants) and val (clean, web, hard) as JPEGs in parts of 56 MB."""
import io, json, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import numpy as np
from PIL import Image
from fauxto import bundles, preprocessing
from fauxto.lab.datasets import Dataset
from fauxto.lab.degradations.protocols import DELIVERED
from fauxto.lab.weighting import held_out, weights_by_source
from fauxto.lab.families import families_of
CACHE=Path('runs/photos/cache'); OUT=Path('gpu')
D=Dataset.open(Path('data/photos'))
INPUT=bundles.load('photos').input
def jpeg(v,q):
    b=io.BytesIO(); Image.fromarray(v).save(b,'JPEG',quality=q,subsampling=0,optimize=True); return b.getvalue()
def part(path):
    return [jpeg(v,87) for v in np.load(path)[:,0]]
def val_row(r):
    rgb=D.split('val').images[r]
    return [jpeg(preprocessing.views(p.apply(rgb,np.random.default_rng(r)),INPUT)[0],92) for p in DELIVERED]
if __name__=='__main__':
    t=time.time(); blobs=[]
    with ProcessPoolExecutor(2) as pool:
        for name in ('train-degraded-0-db95e398855cb339','train-degraded-1-f2ee528fd9b73b2c'):
            one=[b for few in pool.map(part,sorted((CACHE/name).glob('*.npy'))) for b in few]
            print(name,len(one),time.time()-t,flush=True); blobs+=one
        n=len(D.split('val'))
        val=list(pool.map(val_row,range(n),chunksize=16)); print('val',n,time.time()-t,flush=True)
    for k in range(3): blobs+=[v[k] for v in val]
    tr,va=D.split('train'),D.split('val')
    assert len(blobs)==2*len(tr)+3*n
    fam=families_of(tr)
    np.savez(OUT/'meta.npz',labels=tr.labels,sources=tr.sources,held=held_out(tr.sources,.125),families=fam,vlabels=va.labels,vsources=va.sources,lengths=np.array([len(b) for b in blobs]))
    whole=b''.join(blobs); size=58_000_000
    for i in range(0,len(whole),size): (OUT/f'part{i//size:02}.bin').write_bytes(whole[i:i+size])
    print(len(whole)/1e6,'MB',time.time()-t)
