"""Trains members of a soup and students in parallel on one GPU, within a deadline. train.py decode|worker|soup|student ..."""
import io, json, os, sys, time, math, subprocess
import numpy as np
HERE=os.path.dirname(os.path.abspath(__file__)); sys.path.insert(0,HERE)
D=os.environ.get("DATA","/data"); SHM=os.environ.get("SHM","/dev/shm")
DEV=os.environ.get("DEV","cuda")

def decode_some(args):
    from PIL import Image
    blob, offs = args
    return np.stack([np.asarray(Image.open(io.BytesIO(blob[a:b]))) for a,b in offs])

def decode():
    from concurrent.futures import ProcessPoolExecutor
    t=time.time(); meta=np.load(f"{D}/meta.npz")
    whole=b"".join(open(f"{D}/{p}","rb").read() for p in sorted(os.listdir(D)) if p.startswith("part"))
    ends=np.cumsum(meta["lengths"]); starts=ends-meta["lengths"]; n=len(meta["labels"]); v=len(meta["vlabels"])
    jobs=[]
    for a in range(0,len(ends),256):
        b=min(a+256,len(ends)); base=starts[a]
        jobs.append((whole[base:ends[b-1]],[(s-base,e-base) for s,e in zip(starts[a:b],ends[a:b])]))
    out=np.lib.format.open_memmap(f"{SHM}/views.npy","w+",np.uint8,(len(ends),224,224,3)); i=0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for few in pool.map(decode_some,jobs): out[i:i+len(few)]=few; i+=len(few)
    out.flush(); assert i==2*n+3*v
    rest=whole[int(ends[-1]):]
    if rest: open(f"{D}/clip.onnx","wb").write(rest[:89632703]); open(f"{D}/old.npz","wb").write(rest[89632703:])
    print("decoded",i,round(time.time()-t,1),flush=True)

import torch
from torch.nn import functional as F
import vit
LUMA=torch.tensor([.299,.587,.114])

def jpeg(x,q):
    """JPEG's loss simulated: x [B,3,H,W] in 0..1, q [B] in 1..95; chroma 4:2:0."""
    Y=torch.tensor([[16,11,10,16,24,40,51,61],[12,12,14,19,26,58,60,55],[14,13,16,24,40,57,69,56],[14,17,22,29,51,87,80,62],[18,22,37,56,68,109,103,77],[24,35,55,64,81,104,113,92],[49,64,78,87,103,121,120,101],[72,92,95,98,112,100,103,99]],device=x.device,dtype=torch.float32)
    C=torch.full((8,8),99.,device=x.device); C[:4,:4]=torch.tensor([[17,18,24,47],[18,21,26,66],[24,26,56,99],[47,66,99,99]],device=x.device).float()
    k=torch.arange(8,device=x.device).float(); T=torch.cos((2*k[None]+1)*k[:,None]*math.pi/16)*.5; T[0]/=math.sqrt(2)
    s=torch.where(q<50,5000/q,200-2*q).view(-1,1,1,1,1,1)/100
    def comp(p,tab):
        B,H,W=p.shape; pad=(-H)%8
        if pad: p=F.pad(p[:,None],(0,pad,0,pad),mode="replicate")[:,0]
        h=p.shape[1]//8
        b=p.view(B,h,8,h,8).permute(0,1,3,2,4)[:,None]
        t=(tab*s).round().clamp(1,255)
        c=((T@b@T.T)/t).round()*t
        return (T.T@c@T)[:,0].permute(0,1,3,2,4).reshape(B,8*h,8*h)[:,:H,:W]
    x=x*255; r,g,b=x.unbind(1)
    y=.299*r+.587*g+.114*b; cb=(b-y)*.564; cr=(r-y)*.713
    y=comp(y-128,Y)+128
    cb,cr=(F.interpolate(comp(F.avg_pool2d(c[:,None],2)[:,0],C)[:,None],scale_factor=2,mode="bilinear")[:,0] for c in (cb,cr))
    return torch.stack([y+1.403*cr,y-.714*cr-.344*cb,y+1.773*cb],1).clamp(0,255)/255

def augment(u,strong):
    x=u.permute(0,3,1,2).float()/255; B=len(x); dev=x.device
    R=lambda a,b:torch.empty(B,1,1,1,device=dev).uniform_(a,b)
    x=torch.where(R(0,1)<.5,x.flip(3),x)
    if strong:
        geo=torch.rand(B,device=dev)<.4
        if geo.any():
            n=int(geo.sum()); s=torch.empty(n,device=dev).uniform_(.65,1); a=torch.exp(torch.empty(n,device=dev).uniform_(-.15,.15))
            sx,sy=(s*a).clamp(max=1),(s/a).clamp(max=1)
            th=torch.zeros(n,2,3,device=dev); th[:,0,0]=sx; th[:,1,1]=sy
            th[:,0,2]=torch.empty(n,device=dev).uniform_(-1,1)*(1-sx); th[:,1,2]=torch.empty(n,device=dev).uniform_(-1,1)*(1-sy)
            x[geo]=F.grid_sample(x[geo],F.affine_grid(th,(n,3,224,224),align_corners=False),mode="bicubic",padding_mode="reflection",align_corners=False).clamp(0,1)
        soft=torch.rand(B,device=dev)<.12
        if soft.any():
            f=float(np.random.uniform(.5,.9)); z=F.interpolate(x[soft],scale_factor=f,mode="bicubic",antialias=True)
            x[soft]=F.interpolate(z,size=(224,224),mode="bicubic").clamp(0,1)
        noisy=torch.rand(B,device=dev)<.12
        if noisy.any(): n=int(noisy.sum()); x[noisy]=(x[noisy]+torch.randn(n,3,224,224,device=dev)*torch.empty(n,1,1,1,device=dev).uniform_(1,9)/255).clamp(0,1)
    w=.25 if strong else .15
    x=x*R(1-w,1+w); m=x.mean((1,2,3),keepdim=True); x=m+(x-m)*R(1-w,1+w)
    l=(x*LUMA.to(dev).view(1,3,1,1)).sum(1,keepdim=True); x=l+(x-l)*R(1-w,1+w)
    if strong: x=torch.where(R(0,1)<.05,l.expand_as(x),x)
    x=x.clamp(0,1)
    if strong:
        js=torch.rand(B,device=dev)<.3
        if js.any(): x[js]=jpeg(x[js],torch.empty(int(js.sum()),device=dev).uniform_(40,95))
    return x

def auroc(y,s):
    s=np.asarray(s); r=np.empty(len(s)); r[np.argsort(s)]=np.arange(1,len(s)+1); p=y==1
    return float((r[p].sum()-p.sum()*(p.sum()+1)/2)/(p.sum()*(~p).sum()))

class Data:
    def __init__(self,limit=None):
        m=np.load(f"{D}/meta.npz"); self.labels,self.sources,self.held=m["labels"],m["sources"],m["held"]; self.vlabels=m["vlabels"]
        n,v=self.n,self.v=len(self.labels),len(self.vlabels)
        a=np.load(f"{SHM}/views.npy",mmap_mode="r")
        self.x=torch.empty(a.shape,dtype=torch.uint8,device=DEV)
        for i in range(0,len(a),4096): self.x[i:i+4096]=torch.from_numpy(np.array(a[i:i+4096])).to(DEV)
        self.learnt=np.flatnonzero(~self.held); self.heldrows=np.flatnonzero(self.held)
        w=np.zeros(n)
        for lab in (0,1):
            rows=self.learnt[self.labels[self.learnt]==lab]; _,s,c=np.unique(self.sources[rows],return_inverse=True,return_counts=True)
            e=1/np.sqrt(c[s]); w[rows]=e/e.sum()
        self.p=w/w.sum()
        self.y=torch.from_numpy(self.labels).float().to(DEV)

@torch.no_grad()
def features(model,data,rows,batch=256):
    out=[]
    for i in range(0,len(rows),batch):
        x=data.x[torch.as_tensor(rows[i:i+batch],device=DEV)].permute(0,3,1,2).float()/255
        with torch.autocast(DEV,torch.bfloat16): out.append(model.features(x).float())
    return torch.cat(out)

def scores(model,data):
    n,v=data.n,data.v; o={}
    for k,name in enumerate(("clean","web","hard")): o[name]=auroc(data.vlabels,model.logits(features(model,data,np.arange(2*n+k*v,2*n+(k+1)*v))).detach().cpu().numpy())
    o["held"]=auroc(data.labels[data.heldrows],model.logits(features(model,data,data.heldrows)).detach().cpu().numpy())
    o["mean"]=(o["clean"]+o["web"]+o["hard"])/3
    return {k:round(x,4) for k,x in o.items()}

def logistic(f,y,w,C):
    """Standardised, L2, as scikit-learn; returns weights and bias on raw features."""
    mu,sd=f.mean(0),f.std(0,unbiased=False)+1e-6; z=((f-mu)/sd).double(); y=y.double(); w=w.double()
    a=torch.zeros(f.shape[1],device=DEV,dtype=torch.double,requires_grad=True); b=torch.zeros(1,device=DEV,dtype=torch.double,requires_grad=True)
    opt=torch.optim.LBFGS([a,b],max_iter=200,history_size=20,line_search_fn="strong_wolfe",tolerance_grad=1e-6)
    def closure():
        opt.zero_grad(); l=.5*(a*a).sum()/C+(w*F.binary_cross_entropy_with_logits(z@a+b,y,reduction="none")).sum(); l.backward(); return l
    opt.step(closure)
    a=a.detach(); k=(a/sd.double()); return k.float(), (b.detach()-k@mu.double()).float()

def fit_head(model,data,C=1e-4,both=False):
    rows=np.concatenate([data.learnt,data.n+data.learnt]) if both else np.where(data.learnt%2,data.n+data.learnt,data.learnt)
    lab=np.concatenate([data.learnt]*2) if both else data.learnt
    w=torch.from_numpy(data.p[lab]).to(DEV); w=w/w.mean()
    a,b=logistic(features(model,data,rows),data.y[torch.as_tensor(lab,device=DEV)],w,C/(2 if both else 1))
    model.p["head_w"].data[0]=a; model.p["head_b"].data[:]=b

def train(model,data,c,log,teacher=None):
    torch.manual_seed(c["seed"]); rng=np.random.default_rng(c["seed"]); np.random.seed(c["seed"])
    last=model.k["blocks"]+1; groups=[]
    for n,q in model.p.items():
        d=model.depth_of(n); on=d>model.k["blocks"]-c["blocks"]
        q.requires_grad_(bool(on))
        if on:
            lr=c["lr"]*c["decay"]**max(0,model.k["blocks"]-d) if d<last else c["lr"]*c.get("head_lr",1)
            groups.append(dict(params=[q],lr=lr,peak=lr,weight_decay=c["wd"] if q.ndim>1 else 0))
    opt=torch.optim.AdamW(groups,betas=(.9,.999),fused=DEV=="cuda")
    B=c["batch"]; steps=int(c["epochs"]*len(data.learnt)//B); ema={n:q.detach().clone() for n,q in model.p.items() if q.requires_grad}
    if c.get("steps"): steps=c["steps"]
    order=np.concatenate([rng.choice(data.n,len(data.learnt),p=data.p)+data.n*(e%2) for e in range(math.ceil(c["epochs"])+1)])
    t=time.time(); tot=0.
    for s in range(steps):
        f=s/steps; sched=f/.1 if f<.1 else .5*(1+math.cos(math.pi*(f-.1)/.9))
        for g in opt.param_groups: g["lr"]=g["peak"]*sched
        rows=order[s*B:(s+1)*B]; ix=torch.as_tensor(rows,device=DEV)
        x=augment(data.x[ix],c["strong"]); y=data.y[ix%data.n]
        if teacher is not None and not c.get("feat"):
            with torch.no_grad(), torch.autocast(DEV,torch.bfloat16): soft=torch.sigmoid(teacher(x))
            y=(1-c["distill"])*y+c["distill"]*soft
        if rng.random()<c["mixup"]:
            l=float(rng.beta(.4,.4)); o=torch.randperm(len(x),device=DEV); x=l*x+(1-l)*x[o]; y=l*y+(1-l)*y[o]
        y=y*(1-c["smooth"])+c["smooth"]/2
        if c.get("feat"):
            with torch.no_grad(), torch.autocast(DEV,torch.bfloat16): want=teacher.features(x)
            with torch.autocast(DEV,torch.bfloat16): got=model.features(x)
            z=model.logits(got); loss=(got-want).square().mean()+c.get("logit",0)*(z-teacher.logits(want)).square().mean()
        else:
            with torch.autocast(DEV,torch.bfloat16): z=model(x,c["kept"])
            loss=F.binary_cross_entropy_with_logits(z,y)
        opt.zero_grad(set_to_none=True); loss.backward(); torch.nn.utils.clip_grad_norm_([q for g in groups for q in g["params"]],1.0); opt.step()
        m=min(c["ema"],(1+s)/(10+s))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()),[model.p[n] for n in ema],1-m)
        if s%50==0: tot=loss.item(); print(c["name"],s,steps,round(tot,3),round(time.time()-t,1),file=log,flush=True)
    for n,e in ema.items(): model.p[n].data.copy_(e)
    torch.cuda.synchronize() if DEV=="cuda" else None
    return round(time.time()-t,1)

BASE=dict(kind="clip",blocks=10,lr=2e-5,decay=.8,kept=.5,epochs=3,strong=True,mixup=.3,wd=.05,smooth=.05,batch=96,ema=.99,seed=1)

def start(kind,data,shape):
    """The pretrained network; 1.4.0 keeps its own head, CLIP's gets a fitted one."""
    model=vit.load(kind,f"{D}/{kind}.npz",DEV,**shape)
    if kind!="old": fit_head(model,data)
    return model

def worker(number):
    """Takes configurations from the queue until the deadline."""
    if DEV=="cuda": torch.backends.cuda.matmul.allow_tf32=True
    data=Data(); os.makedirs(f"{D}/members",exist_ok=True); log=open(f"{D}/worker{number}.log","a")
    pace=None
    while True:
        queue=json.load(open(f"{D}/queue.json")); left=queue["deadline"]-time.time(); done=False; configs=queue["configs"]
        for c in configs:
            if left<c.get("need",30): continue
            try: os.close(os.open(f"{D}/members/{c['name']}.lock",os.O_CREAT|os.O_EXCL))
            except FileExistsError: continue
            done=True; break
        if not done: break
        c={**BASE,**c}; shape={k:c[k] for k in ("blocks_in","depths","merges") if k in c}; shape={("blocks" if k=="blocks_in" else k):v for k,v in shape.items()}; model=start(c["kind"],data,shape); s0=scores(model,data); teacher=None
        if c.get("distill"): 
            teacher=vit.load("old",f"{D}/old.npz",DEV).eval()
        took=train(model,data,c,log,teacher); r=scores(model,data)
        w0,b0=model.p["head_w"].data.clone(),model.p["head_b"].data.clone(); fit_head(model,data); log_r=scores(model,data); model.p["head_w"].data.copy_(w0); model.p["head_b"].data.copy_(b0)
        if c.get("save"): torch.save({n:q.detach().half().cpu() for n,q in model.p.items()},f"{D}/members/{c['name']}.tmp"); os.rename(f"{D}/members/{c['name']}.tmp",f"{D}/members/{c['name']}.pt")
        with open(f"{D}/results.jsonl","a") as f: f.write(json.dumps({**r,"seconds":took,"start":s0,"logistic":log_r,**c})+"\n")
        print(json.dumps({"name":c["name"],**r,"s":took,"start":s0["mean"],"logistic":log_r}),flush=True); del model

def prepare(kind):
    data=Data(); model=vit.load(kind,f"{D}/{kind}.npz",DEV); t=time.time()
    fit_head(model,data); torch.save(model.state_dict(),f"{D}/{kind}-start.pt"); print(kind,"start",scores(model,data),round(time.time()-t,1),flush=True)

def mix(names,kind):
    model=vit.ViT(kind).to(DEV); all=[torch.load(f"{D}/members/{n}.pt",map_location=DEV) for n in names]
    for n,q in model.p.items(): q.data.copy_(torch.stack([a[n].float() for a in all]).mean(0))
    return model

def soup(kind,prefix,deadline):
    """Greedy soup by val, then a logistic head; saves soup.pt."""
    data=Data(); rs=[json.loads(l) for l in open(f"{D}/results.jsonl")]; rs=[r for r in rs if r["kind"]==kind and r["name"].startswith(prefix)]
    key=lambda r:.75*r["mean"]+.25*r["held"]
    rs.sort(key=key,reverse=True); names=[r["name"] for r in rs]
    r=scores(mix(names,kind),data); print("uniform",len(names),r,flush=True); kept=[names[0]]; best=key(rs[0]); uni=key(r)
    for k in (3,5,8):
        if k<len(names): print("top",k,scores(mix(names[:k],kind),data),flush=True)
    for n in names[1:]:
        if time.time()>deadline: break
        r=scores(mix([*kept,n],kind),data)
        if key(r)>=best: kept.append(n); best=key(r); print("greedy",n,r,flush=True)
    if uni>best: kept=names
    model=mix(kept,kind); print("soup of",kept,scores(model,data),flush=True)
    torch.save(model.state_dict(),f"{D}/{kind}-trained-head.pt")
    fit_head(model,data); print("logistic",scores(model,data),flush=True)
    for C in (1e-5,1e-3):
        other=mix(kept,kind); fit_head(other,data,C); print("logistic",C,scores(other,data),flush=True)
    torch.save(model.state_dict(),f"{D}/{'soup' if kind=='clip' else kind+'-soup'}.pt")
    # views: mean of both networks where both exist
    if kind=="dino" and os.path.exists(f"{D}/soup.pt"):
        clip=vit.ViT("clip").to(DEV); clip.load_state_dict(torch.load(f"{D}/soup.pt"))
        for k,name in enumerate(("clean","web","hard")):
            rows=np.arange(2*data.n+k*data.v,2*data.n+(k+1)*data.v); a,b=(m.logits(features(m,data,rows)).detach().cpu().numpy() for m in (clip,model))
            print("both",name,[round(auroc(data.vlabels,w*a+(1-w)*b),4) for w in (.3,.5,.7)],flush=True)

def run(workers):
    ps=[subprocess.Popen([sys.executable,__file__,"worker",str(i)]) for i in range(workers)]
    for p in ps: p.wait()

def save(kind,out,first,last,each):
    """fp16 of some parameters, `each` blocks a file."""
    sd=torch.load(f"{D}/{'soup' if kind=='clip' else kind+'-soup'}.pt",map_location="cpu"); os.makedirs(out,exist_ok=True)
    for i in range(first,last,each):
        np.savez(f"{out}/{kind}-b{i}.npz",**{n[2:]:v.half().numpy() for n,v in sd.items() if any(n.startswith(f"p.b{j}_") for j in range(i,min(i+each,last)))})
    rest={n[2:]:v.float().numpy() for n,v in sd.items() if n.startswith("p.") and not (n[2]=="b" and n[3].isdigit())}
    if first==0: np.savez(f"{out}/{kind}-rest.npz",**rest)

if __name__=="__main__":
    a=sys.argv
    if a[1]=="decode": decode()
    elif a[1]=="worker": worker(a[2])
    elif a[1]=="prepare": prepare(a[2])
    elif a[1]=="soup": soup(a[2],a[3],float(a[4]))
    elif a[1]=="run": run(int(a[2]))
    elif a[1]=="save": save(a[2],a[3],int(a[4]),int(a[5]),int(a[6]))
