"""pack.py OUT [LIMIT]: meta.npz, parts of 58 MB: train variant 0, variant 1, val clean, web, hard, then the encoder's ONNX."""
import csv, lzma, sys, hashlib
from pathlib import Path
import numpy as np
from fauxto.lab.weighting import held_out
OUT = Path(sys.argv[1]); OUT.mkdir(exist_ok=True, parents=True); LIMIT = int(sys.argv[2]) if len(sys.argv) > 2 else None
S = Path('tables'); VIEWS = Path('views')
rows = list(csv.DictReader(open(S / 'originals.csv', newline=''))) + list(csv.DictReader(lzma.open('src/fauxto/lab/datasets/photo-originals-own.csv.xz', 'rt')))
key = lambda rel: hashlib.sha256(rel.encode()).hexdigest()[:24]
tr, va, seen, lost = [], [], set(), 0
for r in rows:
    if r['split'] not in ('train', 'val'): continue
    rel = f"{r['split']}/{r['path']}"; p = VIEWS / f'{key(rel)}.npz'
    if rel in seen: continue
    seen.add(rel)
    if not p.exists(): lost += 1; continue
    (tr if r['split'] == 'train' else va).append((rel, r))
if LIMIT:
    rng = np.random.default_rng(0); tr = [tr[i] for i in rng.permutation(len(tr))[:LIMIT]]; va = [va[i] for i in rng.permutation(len(va))[:LIMIT // 4]]
print('train', len(tr), 'val', len(va), 'missing', lost)
J = {}
for rel, r in tr + va:
    with np.load(VIEWS / f'{key(rel)}.npz') as z: J[rel] = [z[f'j{i}'].tobytes() for i in range(2 if rel.startswith('train') else 3)]
blobs = [J[rel][v] for v in (0, 1) for rel, _ in tr] + [J[rel][k] for k in range(3) for rel, _ in va]
lab = lambda rs: np.array([r['label'] == 'ai' for _, r in rs], np.int64); src = lambda rs: np.array([r['repo'] for _, r in rs])
np.savez(OUT / 'meta.npz', labels=lab(tr), sources=src(tr), held=held_out(src(tr), .125), vlabels=lab(va), vsources=src(va),
         rels=np.array([rel for rel, _ in tr]), vrels=np.array([rel for rel, _ in va]), lengths=np.array([len(b) for b in blobs]))
whole = b''.join(blobs) + (b'' if LIMIT else Path('clip_encoder.int8.onnx').read_bytes() + Path('old.npz').read_bytes()); size = 58_000_000
for old in OUT.glob('part*.bin'): old.unlink()
for i in range(0, len(whole), size): (OUT / f'part{i // size:02}.bin').write_bytes(whole[i:i + size])
print(len(whole) / 1e6, 'MB', -(-len(whole) // size), 'parts')
