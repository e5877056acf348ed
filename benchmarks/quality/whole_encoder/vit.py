"""A vision transformer in plain PyTorch: CLIP's or DINOv2's encoder with a linear head over class tokens."""
import numpy as np, torch
from torch import nn
from torch.nn import functional as F

KINDS = {
    "clip": dict(patch=16, channels=768, heads=12, blocks=10, depths=(7, 8, 9, 10), quick=True, scale=False, pre=True, bias=False,
                 mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711)),
    "dino": dict(patch=14, channels=384, heads=6, blocks=12, depths=(6, 8, 10, 12), quick=False, scale=True, pre=False, bias=True,
                 mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
}

KINDS["old"] = KINDS["clip"]

class ViT(nn.Module):
    def __init__(self, kind, side=224, blocks=None, depths=None, merges=()):
        super().__init__()
        k = self.k = dict(KINDS[kind]); c = k["channels"]; self.merges = dict(merges)
        if blocks: k["blocks"] = blocks; k["depths"] = tuple(depths)
        n = (side // k["patch"]) ** 2
        P = lambda *s: nn.Parameter(torch.zeros(*s))
        p = {"patches": P(c, 3, k["patch"], k["patch"]), "cls": P(c), "pos": P(1 + n, c)}
        if k["bias"]: p["patches_b"] = P(c)
        if k["pre"]: p |= {"norm_w": P(c), "norm_b": P(c)}
        for i in range(k["blocks"]):
            p |= {f"b{i}_n1w": P(c), f"b{i}_n1b": P(c), f"b{i}_qkvw": P(3 * c, c), f"b{i}_qkvb": P(3 * c), f"b{i}_ow": P(c, c), f"b{i}_ob": P(c),
                  f"b{i}_n2w": P(c), f"b{i}_n2b": P(c), f"b{i}_f1w": P(4 * c, c), f"b{i}_f1b": P(4 * c), f"b{i}_f2w": P(c, 4 * c), f"b{i}_f2b": P(c)}
            if k["scale"]: p |= {f"b{i}_ls1": P(c), f"b{i}_ls2": P(c)}
        p |= {"head_w": P(1, c * len(k["depths"])), "head_b": P(1)}
        self.p = nn.ParameterDict(p)
        self.register_buffer("mean", torch.tensor(k["mean"]).view(1, 3, 1, 1)); self.register_buffer("std", torch.tensor(k["std"]).view(1, 3, 1, 1))

    def features(self, x, kept=1.0):
        """x: float [B, 3, H, W] in [0, 1]; float32 [B, depths * c]."""
        p, k, c = self.p, self.k, self.k["channels"]; eps = 1e-5 if k["pre"] else 1e-6
        x = F.conv2d((x - self.mean) / self.std, p["patches"], p["patches_b"] if k["bias"] else None, stride=k["patch"])
        x = x.flatten(2).transpose(1, 2) + p["pos"][1:]
        if kept < 1:
            count = round(kept * x.shape[1])
            places = torch.rand(x.shape[0], x.shape[1], device=x.device).argsort(1)[:, :count, None].expand(-1, -1, c)
            x = x.gather(1, places)
        x = torch.cat([(p["cls"] + p["pos"][0]).to(x.dtype).expand(x.shape[0], 1, c), x], 1)
        if k["pre"]: x = F.layer_norm(x, (c,), p["norm_w"], p["norm_b"], 1e-5)
        out = []; B = x.shape[0]; grid = None if kept < 1 else (int((x.shape[1] - 1) ** .5),) * 2
        for i in range(k["blocks"]):
            if grid and i in self.merges: x, grid = merged(x, grid, self.merges[i])
            h = F.layer_norm(x, (c,), p[f"b{i}_n1w"], p[f"b{i}_n1b"], eps)
            q, kk, v = F.linear(h, p[f"b{i}_qkvw"], p[f"b{i}_qkvb"]).view(B, -1, 3, k["heads"], c // k["heads"]).permute(2, 0, 3, 1, 4)
            h = F.scaled_dot_product_attention(q, kk, v).transpose(1, 2).reshape(B, -1, c)
            h = F.linear(h, p[f"b{i}_ow"], p[f"b{i}_ob"])
            x = x + (h * p[f"b{i}_ls1"] if k["scale"] else h)
            h = F.linear(F.layer_norm(x, (c,), p[f"b{i}_n2w"], p[f"b{i}_n2b"], eps), p[f"b{i}_f1w"], p[f"b{i}_f1b"])
            h = h * torch.sigmoid(1.702 * h) if k["quick"] else F.gelu(h)
            h = F.linear(h, p[f"b{i}_f2w"], p[f"b{i}_f2b"])
            x = x + (h * p[f"b{i}_ls2"] if k["scale"] else h)
            if i + 1 in k["depths"]:
                t = x[:, 0].float(); t = t - t.mean(-1, keepdim=True)
                out.append(t / torch.sqrt((t * t).mean(-1, keepdim=True) + 1e-5))
        return torch.cat(out, 1)

    def logits(self, features):
        with torch.autocast(features.device.type, enabled=False):
            return features.float() @ self.p["head_w"][0].float() + self.p["head_b"]

    def forward(self, x, kept=1.0):
        return self.logits(self.features(x, kept))

    def depth_of(self, name):
        """0 for what is before the blocks, 1.. for blocks, blocks + 1 for the head."""
        return int(name[1:].split("_")[0]) + 1 if name[0] == "b" and name[1].isdigit() else self.k["blocks"] + 1 if name.startswith("head") else 0

def merged(x, grid, how):
    """Fewer patch tokens: pairs beside each other or squares of four averaged, or every second kept."""
    B, _, c = x.shape; first, p = x[:, :1], x[:, 1:]; h, w = grid
    if how == "checker":
        keep = ((torch.arange(h)[:, None] + torch.arange(w)) % 2 == 0).flatten().nonzero()[:, 0].to(x.device)
        return torch.cat([first, p[:, keep]], 1), None
    a, b = (1, 2) if how == "pair" else (2, 2)
    p = p.view(B, h // a, a, w // b, b, c).mean((2, 4)).view(B, -1, c)
    return torch.cat([first, p], 1), (h // a, w // b)

def load(kind, path, device, **shape):
    model = ViT(kind, **shape)
    with np.load(path) as z:
        for n, q in model.p.items():
            if n not in z: continue
            a = z[n].astype(np.float32)
            if n + "@scale" in z: a = (a - z[n + "@zero"].astype(np.float32)[:, None]) * z[n + "@scale"].astype(np.float32)[:, None]
            q.data.copy_(torch.from_numpy(a.reshape(q.shape)))
    return model.to(device)
