"""Starting weights of both encoders as npz for vit.py: CLIP's matrices in their 8 bits."""
import numpy as np, onnx, sys
from onnx import numpy_helper
sys.path.insert(0,'gpu')
g=onnx.load('clip_encoder.int8.onnx').graph
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
np.savez('clip.npz',**o)
# DINOv2
g=onnx.load('vit_s_focus.onnx').graph
st={t.name:numpy_helper.to_array(t) for t in g.initializer}
w={k:v for k,v in st.items() if k.startswith('backbone.')}
for n in g.node:
    if n.op_type=='MatMul' and n.input[1] in st: w[n.name.strip('/').removesuffix('/MatMul').replace('/','.')+'.weight']=st[n.input[1]]
from fauxto.lab.layers import resized_positions
pos=np.concatenate([st[x].reshape(-1,384) for x in ('onnx::Concat_1957','onnx::Reshape_1962')])
o={'pos':resized_positions(pos,257).astype(np.float16),'cls':w['backbone.embeddings.cls_token'].reshape(-1),
   'patches':w['backbone.embeddings.patch_embeddings.projection.weight'].astype(np.float16),'patches_b':w['backbone.embeddings.patch_embeddings.projection.bias']}
for i in range(12):
    b=f'backbone.encoder.layer.{i}'
    for n,k in (('n1','norm1'),('n2','norm2')): o[f'b{i}_{n}w'],o[f'b{i}_{n}b']=w[f'{b}.{k}.weight'],w[f'{b}.{k}.bias']
    o[f'b{i}_qkvw']=np.concatenate([w[f'{b}.attention.attention.{p}.weight'].T for p in ('query','key','value')]).astype(np.float16)
    o[f'b{i}_qkvb']=np.concatenate([w[f'{b}.attention.attention.{p}.bias'] for p in ('query','key','value')])
    for n,k in (('o','attention.output.dense'),('f1','mlp.fc1'),('f2','mlp.fc2')):
        o[f'b{i}_{n}w']=w[f'{b}.{k}.weight'].T.astype(np.float16).copy(); o[f'b{i}_{n}b']=w[f'{b}.{k}.bias']
    o[f'b{i}_ls1'],o[f'b{i}_ls2']=w[f'{b}.layer_scale1.lambda1'],w[f'{b}.layer_scale2.lambda1']
np.savez('gpu/dino.npz',**o)
# split into parts
for n in ('clip','dino'):
    d=open(f'gpu/{n}.npz','rb').read(); print(n,len(d)/1e6)
    for j in range(0,len(d),58_000_000): open(f'gpu/{n}{j//58_000_000}.bin','wb').write(d[j:j+58_000_000])
