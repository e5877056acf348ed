"""Starting weights of both encoders as npz for vit.py: CLIP's matrices in their 8 bits."""
import numpy as np, onnx, sys, os
from onnx import numpy_helper
D=os.environ.get('DATA','/data')
g=onnx.load(f'{D}/clip.onnx').graph
st={t.name:numpy_helper.to_array(t) for t in g.initializer}
Q={}
for n in g.node:
    if n.op_type=='MatMulInteger':
        m,z=st[n.input[1]],st[n.input[3]]; s=st[n.input[1].replace('_quantized','_scale')]
        Q[n.name.strip('/').removesuffix('/MatMul_quant').replace('/','.')]=(m,z,s)
print(len(Q), next(iter(Q)), [x.shape for x in next(iter(Q.values()))], [x.dtype for x in next(iter(Q.values()))])
def mat(name):
    m,z,s=Q[name]; out=m.shape[1]
    return m.T.copy(), np.broadcast_to(z.astype(np.float32),(out,)).copy(), np.broadcast_to(s.astype(np.float32),(out,)).copy()
E='vision_model.embeddings'; o={}
o['patches']=st[f'{E}.patch_embedding.weight'].astype(np.float32)
o['cls']=st[f'{E}.class_embedding'].reshape(-1); o['pos']=st[f'{E}.position_embedding.weight']
o['norm_w'],o['norm_b']=st['vision_model.pre_layrnorm.weight'],st['vision_model.pre_layrnorm.bias']
for i in range(10):
    b=f'vision_model.encoder.layers.{i}'
    for n,k in (('n1','layer_norm1'),('n2','layer_norm2')): o[f'b{i}_{n}w'],o[f'b{i}_{n}b']=st[f'{b}.{k}.weight'],st[f'{b}.{k}.bias']
    qkv=[mat(f'{b}.self_attn.{p}_proj') for p in 'qkv']
    o[f'b{i}_qkvw'],o[f'b{i}_qkvw@zero'],o[f'b{i}_qkvw@scale']=(np.concatenate(x) for x in zip(*qkv))
    o[f'b{i}_qkvb']=np.concatenate([st[f'{b}.self_attn.{p}_proj.bias'] for p in 'qkv'])
    for n,k in (('o','self_attn.out_proj'),('f1','mlp.fc1'),('f2','mlp.fc2')):
        o[f'b{i}_{n}w'],o[f'b{i}_{n}w@zero'],o[f'b{i}_{n}w@scale']=mat(f'{b}.{k}'); o[f'b{i}_{n}b']=st[f'{b}.{k}.bias']
np.savez(f'{D}/clip.npz',**o)
