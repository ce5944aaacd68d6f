"""The small ViT of `blvit bench --train` in PyTorch, for comparison; blvit never needs it.
Prints its name, then makes a training step (forward, backward, AdamW) for each line that it reads."""
import json
import sys

import torch
from torch import nn

sizes = json.loads(sys.argv[1])
if sizes["threads"]:
    torch.set_num_threads(sizes["threads"])


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-6) for _ in range(2))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        batch, tokens, width = x.shape
        split = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5).softmax(-1)
        x = x + self.proj((attention @ v).transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, depth, heads, width, patch, classes, image):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, (image // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, pixels):
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(pixels), -1, -1), patches], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


torch.manual_seed(0)
model = Vit(**{name: sizes[name] for name in ("depth", "heads", "width", "patch", "classes", "image")})
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.05)
pixels = torch.rand(sizes["batch"], 3, sizes["image"], sizes["image"]) * 2 - 1
labels = torch.arange(sizes["batch"]) % sizes["classes"]
fast = "" if torch.backends.mkldnn.is_available() else " and without oneDNN"
print(f"PyTorch {torch.__version__}, eager{fast}", flush=True)
for _ in sys.stdin:
    optimiser.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(pixels), labels).backward()
    optimiser.step()
    print("done", flush=True)
