"""drive.py SECONDS [WORKERS]: all configurations in order until the deadline."""
import json, os, subprocess, sys, time
T=float(sys.argv[1]); W=sys.argv[2] if len(sys.argv)>2 else "4"; t0=time.time(); D=os.environ.get("DATA","/data"); G=os.path.dirname(os.path.abspath(__file__))+"/train.py"
B=dict(**json.loads(os.environ.get("BASE","{}")),strong=False,kept=1.0,decay=1,mixup=.25)
O=dict(kind="old"); FT=dict(kind="old",distill=1,feat=1,lr=1e-4,smooth=0,mixup=0,epochs=6)
c=[dict(name="old-full",steps=1,lr=0,**O),dict(name="feat-quad4",blocks=6,merges=[[4,"quad"]],**FT),dict(name="feat-quad2",blocks=8,merges=[[2,"quad"]],**FT),dict(name="full6",blocks=6),
   dict(name="quad4",blocks=6,merges=[[4,"quad"]]),dict(name="quad2",blocks=8,merges=[[2,"quad"]]),dict(name="pair2",blocks=8,merges=[[2,"pair"]]),dict(name="quad3",blocks=7,merges=[[3,"quad"]]),
   dict(name="feat-quad3",blocks=7,merges=[[3,"quad"]],**FT),dict(name="feat-pair2",blocks=8,merges=[[2,"pair"]],**FT),dict(name="old-quad4",blocks=6,merges=[[4,"quad"]],distill=.7,**O),dict(name="old-quad2",blocks=8,merges=[[2,"quad"]],distill=.7,**O),
   dict(name="feat-quad1",blocks=9,merges=[[1,"quad"]],**FT),dict(name="feat-quad2-logit",blocks=8,merges=[[2,"quad"]],logit=.05,**FT),dict(name="feat-quad2-all",blocks=10,merges=[[2,"quad"]],**FT),dict(name="checker0",blocks=10,lr=1e-5,merges=[[0,"checker"]]),
   dict(name="quad4-seed2",blocks=6,seed=2,merges=[[4,"quad"]]),dict(name="quad2-seed2",blocks=8,seed=2,merges=[[2,"quad"]]),dict(name="full6-seed2",blocks=6,seed=2),dict(name="quad4-hot",blocks=6,lr=4e-5,merges=[[4,"quad"]]),
   dict(name="quad2-hot",blocks=8,lr=4e-5,merges=[[2,"quad"]]),dict(name="quad2-long",blocks=8,epochs=6,merges=[[2,"quad"]]),dict(name="feat-quad2-long",blocks=8,merges=[[2,"quad"]],**{**FT,"epochs":12}),dict(name="feat-quad2-hot",blocks=8,merges=[[2,"quad"]],**{**FT,"lr":3e-4}),
   dict(name="feat-quad0",blocks=10,merges=[[0,"quad"]],**FT),dict(name="quad6",blocks=4,merges=[[6,"quad"]]),dict(name="full10",blocks=10,decay=.8),dict(name="feat-checker0",blocks=10,merges=[[0,"checker"]],**FT),
   dict(name="feat-b8quad2",blocks_in=10,depths=[7,8,9,10],blocks=8,merges=[[2,"pair"],[5,"pair"]],**FT),dict(name="pair2-seed2",blocks=8,seed=2,merges=[[2,"pair"]]),dict(name="quad3-seed2",blocks=7,seed=2,merges=[[3,"quad"]])]
c=[{**B,**x} for x in c]
if os.environ.get("ONLY"): c=[x for x in c if x["name"] in os.environ["ONLY"].split(",")]
json.dump({"deadline":t0+T,"configs":c},open(f"{D}/queue.json","w"))
subprocess.run([sys.executable,G,"run",W],check=False)
print("ran",round(time.time()-t0),flush=True)
for l in sorted(open(f"{D}/results.jsonl"),key=lambda l:-json.loads(l)["mean"]):
    r=json.loads(l); f=lambda x:" ".join(f"{x[k]:.3f}" for k in ("clean","web","hard","held")); print(f'{r["name"]:11} head {f(r)}  logistic {f(r["logistic"])}  start {f(r["start"])}  {r["seconds"]} s')
