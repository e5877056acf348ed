"""Mean of the GPU's soup and 1.4.0: features of train and val by the INT8 export, then heads."""
import sys, io, time; from pathlib import Path
import numpy as np
from fauxto.lab.backend import import_keras
keras=import_keras('torch')
from fauxto.lab import encoder_export, linear_head, cache
from fauxto.lab.datasets import Dataset
from fauxto.lab.run import Run
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
S=Path('gpu'); G=S/'gpu'
def soup_into(model):
    z={}
    for p in G.glob('clip-*.npz'): z|=dict(np.load(p))
    L=model.get_layer
    L('patches').set_weights([z['patches'].astype(np.float32).transpose(2,3,1,0)])
    L('tokens').set_weights([z['cls'].astype(np.float32),z['pos'].astype(np.float32)]); L('norm').set_weights([z['norm_w'],z['norm_b']])
    for i in range(10):
        f=lambda k: z[f'b{i}_{k}'].astype(np.float32)
        q,k,v=np.split(f('qkvw'),3); qb,kb,vb=np.split(f('qkvb'),3)
        L(f'block_{i+1}').set_weights([f('n1w'),f('n1b'),q.T,qb,k.T,kb,v.T,vb,f('ow').T,f('ob'),f('n2w'),f('n2b'),f('f1w').T,f('f1b'),f('f2w').T,f('f2b')])
    w,b=z['head_w'][0].astype(np.float32),float(z['head_b'][0]); L('logits').set_weights([np.stack([-w/2,w/2],1),np.array([-b/2,b/2],np.float32)])
share=float(sys.argv[1])
run=Run(Path('runs/photos')); recipe=run.recipe
old=run.load_keras_model(); new=run.load_keras_model(); soup_into(new)
for a,b in zip(new.layers,old.layers):
    w=a.get_weights()
    if w: a.set_weights([share*x+(1-share)*y for x,y in zip(w,b.get_weights())])
net=encoder_export.export(keras.Model(new.inputs,new.get_layer('features').output))
(S/f'encoder-{share}.onnx').write_bytes(net)
m=np.load('gpu/meta.npz'); e=np.cumsum(m['lengths']); n=len(m['labels']); v=len(m['vlabels'])
whole=b''.join(p.read_bytes() for p in sorted(Path('gpu').glob('part*.bin')))
blobs=[whole[b-l:b] for b,l in zip(e,m['lengths'])]; del whole
sess=linear_head._session(net); t=time.time()
def some(rows):
    x=np.stack([np.asarray(Image.open(io.BytesIO(blobs[r]))) for r in rows]).astype(np.float32)/255
    return sess.run(None,{'pixels':x})[0]
def feats(rows):
    with ThreadPoolExecutor(2) as p: return np.concatenate(list(p.map(some,[rows[i:i+16] for i in range(0,len(rows),16)])))
V=[feats(np.arange(2*n+k*v,2*n+(k+1)*v)) for k in range(3)]; print('val',time.time()-t,flush=True)
tr=feats(np.array([r+n*(r%2) for r in range(n)])); print('train',time.time()-t,flush=True)
np.savez(S/f'features-{share}.npz',train=tr,clean=V[0],web=V[1],hard=V[2])
