"""ViT-Tiny in PyTorch (eager or compiled) or OpenVINO, for `scripts/bench-peers.mjs`; blvit never needs it.
Prints its name, then does a job for each line that it reads and prints what came of it:
`batch <pictures> <times>` runs the model on prepared pictures, `files` goes from all files to labels."""
import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_transform

# tracing warns of itself
warnings.filterwarnings("ignore")
options = json.loads(sys.argv[1])
files, threads = options["files"], options["threads"]
torch.set_num_threads(threads)

model = timm.create_model("vit_tiny_patch16_224", num_classes=1000)
model.load_state_dict({name: tensor.float() for name, tensor in load_file(options["weights"]).items()})
model.eval()
transform = create_transform((3, 224, 224), interpolation="bicubic", crop_pct=0.9, mean=[0.5] * 3, std=[0.5] * 3)


def prepare(file):
    with Image.open(file) as picture:
        return transform(picture.convert("RGB"))


def prepared_batches(size):
    """Decoded ahead by threads: Pillow and torch let go of Python's lock while they work."""
    with ThreadPoolExecutor(threads) as pool:
        waiting = []
        for file in files:
            waiting.append(pool.submit(prepare, file))
            if len(waiting) == 2 * size:
                yield torch.stack([each.result() for each in waiting[:size]])
                waiting = waiting[size:]
        for start in range(0, len(waiting), size):
            yield torch.stack([each.result() for each in waiting[start : start + size]])


class Torch:
    def __init__(self, compiled):
        self.run = torch.compile(model) if compiled else model
        self.name = f"PyTorch {torch.__version__}, {'compiled' if compiled else 'eager'}"

    @torch.inference_mode()
    def batch(self, pictures, times):
        for _ in range(times):
            self.run(pictures)

    @torch.inference_mode()
    def files(self):
        return [label for batch in prepared_batches(8) for label in self.run(batch).argmax(1).tolist()]


class OpenVino:
    def __init__(self):
        import openvino

        core = openvino.Core()
        core.set_property("CPU", {"INFERENCE_NUM_THREADS": threads})
        graph = openvino.convert_model(model, example_input=torch.zeros(1, 3, 224, 224))
        # float32, as everything that it is compared with; its own default on some processors is bfloat16
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        self.latency = core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": "LATENCY", **exact})
        self.throughput = core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", **exact})
        self.queue = openvino.AsyncInferQueue(self.throughput)
        self.name = f"OpenVINO {openvino.__version__.split('-')[0]}"

    def batch(self, pictures, times):
        for _ in range(times):
            self.latency(pictures.numpy())

    def files(self):
        labels = {}
        self.queue.set_callback(lambda request, at: labels.__setitem__(at, int(request.get_output_tensor().data.argmax())))
        with ThreadPoolExecutor(threads) as pool:
            for at, picture in enumerate(pool.map(prepare, files)):
                self.queue.start_async(picture[None].numpy(), at)
        self.queue.wait_all()
        return [labels[at] for at in range(len(files))]


peer = OpenVino() if options["peer"] == "openvino" else Torch(compiled=options["peer"] == "compiled")
batches = {}
print(json.dumps(peer.name), flush=True)
for line in sys.stdin:
    job, *numbers = line.split()
    if job == "files":
        answer = peer.files()
    else:
        pictures, times = map(int, numbers)
        if pictures not in batches:
            batches[pictures] = torch.stack([prepare(file) for file in (files * pictures)[:pictures]])
        answer = peer.batch(batches[pictures], times)
    print(json.dumps(answer), flush=True)
