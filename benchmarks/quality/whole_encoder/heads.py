import numpy as np, sys
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score as A
from fauxto.lab.linear_head import fit
from fauxto.lab.weighting import weights_by_source
m=np.load('gpu/meta.npz'); held=m['held']; y=m['labels']; vy=m['vlabels']; src=m['sources']
f=np.load(f'gpu/features-{sys.argv[1]}.npz'); T=f['train']
for C in (1e-5,1e-4,3e-4,1e-3,3e-3,1e-2):
    h=fit(T[~held],y[~held],src[~held],C)
    r=[A(vy,f[k]@h.weights+h.bias) for k in ('clean','web','hard')]
    hs=A(y[held],T[held]@h.weights+h.bias)
    print(C,[round(x,4) for x in r],'mean',round(np.mean(r),4),'held',round(hs,4),flush=True)
