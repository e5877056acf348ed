"""1.4.0's weights out of its bundle, as npz for vit.py (int8 with scales)."""
import gzip, sys, numpy as np, onnx
from onnx import numpy_helper
g=onnx.load_model_from_string(gzip.open('src/fauxto/bundles/weights/photos/model.onnx.gz').read()).graph
st={t.name:numpy_helper.to_array(t) for t in g.initializer}
by={o:n for n in g.node for o in n.output}
o={}
ln=[n for n in g.node if n.op_type=='LayerNormalization' and by[n.input[0]].op_type!='Squeeze']
o['norm_w'],o['norm_b']=st[ln[0].input[1]],st[ln[0].input[2]]
use={}
for n in g.node:
    for k in n.input: use.setdefault(k,[]).append(n)
def chain(n):
    c=use[n.output[0]][0]; m1=use[c.output[0]][0]; m2=use[m1.output[0]][0]; a=use[m2.output[0]][0]
    return st[n.input[1]].T.copy(), st[m2.input[1]], st[a.input[1]]
mm=[chain(n) for n in g.node if n.op_type=='MatMulInteger']
print(len(ln),len(mm))
conv=[n for n in g.node if n.op_type=='Conv'][0]; o['patches']=st[by[conv.input[1]].input[0]].astype(np.float32)
pos=[n for n in g.node if n.op_type=='Cast' and n.input[0] in st and st[n.input[0]].ndim==2][0]; pos=st[pos.input[0]].astype(np.float32)
first=[st[n.input[1]] for n in g.node if n.op_type=='Add' and n.input[1] in st and st[n.input[1]].ndim==3][0].reshape(-1)
o['pos']=np.concatenate([np.zeros((1,768),np.float32),pos]); o['cls']=first
for i in range(10):
    for k,(a,b) in enumerate((('n1w','n1b'),('n2w','n2b'))): n=ln[1+2*i+k]; o[f'b{i}_{a}'],o[f'b{i}_{b}']=st[n.input[1]],st[n.input[2]]
    m=mm[6*i:6*i+6]
    def put(name,parts):
        w=np.concatenate([p[0] for p in parts]); s=np.concatenate([p[1] for p in parts]).astype(np.float32)
        o[f'b{i}_{name}'],o[f'b{i}_{name}@scale'],o[f'b{i}_{name}@zero']=w,s,np.zeros(len(w),np.float32)
    put('qkvw',m[:3]); put('ow',m[3:4]); put('f1w',m[4:5]); put('f2w',m[5:6])
    o[f'b{i}_qkvb']=np.concatenate([p[2] for p in m[:3]]); o[f'b{i}_ob'],o[f'b{i}_f1b'],o[f'b{i}_f2b']=(p[2] for p in m[3:])
heads=[st[n.input[1]] for n in g.node if n.op_type=='MatMul']; print([h.shape for h in heads])
hw=[h for h in heads if h.shape[1]==2][0]; o['head_w']=(hw[:,1]-hw[:,0])[None]
hb=[st[n.input[1]] for n in g.node if n.op_type=='Add' and n.input[1] in st and st[n.input[1]].shape==(2,)][0]; o['head_b']=np.array([hb[1]-hb[0]],np.float32)
np.savez(sys.argv[1],**o)
