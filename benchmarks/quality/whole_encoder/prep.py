"""Views of each original as it arrives: VIEWS/<key>.npz with a [k,224,224,3] and JPEGs."""
import io, os, sys, time, hashlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import numpy as np
from PIL import Image
ORIG, VIEWS = Path('originals'), Path('views')
from fauxto import images, preprocessing
from fauxto.lab.recipe import Recipe, recipe_for
from fauxto.lab.datasets.pictures import pixel_sha256
from fauxto.lab.degradations.chain import degrade
from fauxto.lab.degradations.protocols import DELIVERED
R = Recipe.load(recipe_for('clip-vit-b16'))
def jpeg(v, q):
    b = io.BytesIO(); Image.fromarray(v).save(b, 'JPEG', quality=q, subsampling=0, optimize=True); return np.frombuffer(b.getvalue(), np.uint8)
def key(rel): return hashlib.sha256(rel.encode()).hexdigest()[:24]
def one(rel):
    out = VIEWS / f'{key(rel)}.npz'
    if out.exists(): return
    try:
        image = images.decode(images.read_bytes(ORIG / rel)); rgb = image.rgb
    except Exception as e:
        return f'{rel}: {e}'
    digest = pixel_sha256(rgb)
    if rel.startswith('train/'):
        a = np.stack([preprocessing.views(degrade(rgb, R.degradation, np.random.default_rng((R.seed, v, int(digest[:8], 16)))), R.input)[0] for v in (0, 1)])
        js = [jpeg(x, 87) for x in a]
    else:
        a = np.stack([preprocessing.views(p.apply(rgb, np.random.default_rng(0)), R.input)[0] for p in DELIVERED])
        js = [jpeg(x, 92) for x in a]
    tmp = out.with_suffix('.tmp')
    with open(tmp, 'wb') as f: np.savez(f, a=a, pixel=digest, **{f'j{i}': j for i, j in enumerate(js)})
    os.rename(tmp, out)
if __name__ == '__main__':
    done = set(); t = time.time()
    with ProcessPoolExecutor(3) as pool:
        while True:
            new = []
            for s in ('train', 'val'):
                for d, _, fs in os.walk(ORIG / s):
                    new += [r for f in fs if (r := os.path.relpath(os.path.join(d, f), ORIG)) not in done and not f.endswith(('.tmp', '.part'))]
            if not new:
                if Path('stop-prep').exists(): break
                time.sleep(5); continue
            new = new[:2000]
            for bad in pool.map(one, new, chunksize=8):
                if bad: print(bad, flush=True)
            done |= set(new); print(len(done), round(time.time() - t), flush=True)
    print('finished')
