"""Everything in order, within T seconds of the start."""
import json, os, subprocess, sys, time
T=float(sys.argv[1]); t0=float(sys.argv[2]) if len(sys.argv)>2 else time.time(); D=os.environ.get("DATA","/data"); G=os.path.dirname(os.path.abspath(__file__))+"/train.py"
W=int(os.environ.get("WORKERS","3"))
def go(*a): print("$",*a,round(time.time()-t0),flush=True); subprocess.run([sys.executable,G,*map(str,a)],check=False)
def queue(deadline,configs,more): json.dump({"deadline":deadline,"configs":configs,"more":more},open(f"{D}/queue.json","w"))
c=[dict(name="c-base"),dict(name="c-last4",blocks=4,lr=4e-5,decay=1,epochs=2),dict(name="c-lr5",lr=5e-5),dict(name="c-all",kept=1.0),
   dict(name="c-last6",blocks=6,lr=3e-5,decay=.9,kept=.7),dict(name="c-hot",lr=1e-4,decay=.7,kept=.3,epochs=4),dict(name="c-mild",strong=False),
   dict(name="c-long",lr=3e-5,epochs=6,mixup=.5),dict(name="c-mix",lr=3e-5,epochs=3,mixup=.9,smooth=.1),dict(name="c-lr10",lr=1e-4,decay=.8,epochs=3,mixup=.5),
   dict(name="c-small",batch=32,lr=1e-5,epochs=2,ema=.995)]
for x in c: x["need"]=40
d=[dict(name="d-soft",kind="dino",blocks=12,distill=.7,lr=1e-4,decay=.85,kept=1.0,epochs=6,mixup=.5),
   dict(name="d-hard",kind="dino",blocks=12,lr=5e-5,decay=.85,kept=1.0,epochs=4,mixup=.5),
   dict(name="d-half",kind="dino",blocks=12,distill=.7,lr=2e-4,decay=.8,kept=.6,epochs=8,mixup=.5)]
for x in d: x["need"]=30
a=t0+.66*T; queue(a,c,"c"); go("run",W); go("soup","clip","c",a+60)
b=t0+T-35; queue(b,d,"d"); go("run",W); go("soup","dino","d",t0+T-15)
print(open(f"{D}/results.jsonl").read(),round(time.time()-t0),flush=True)
