"""The names and inputs by which ComfyUI's nodes are known: the only place for them. A test has the published names.

A graph has no categories, only names ("class_type") and inputs. So the partner nodes, which ComfyUI files under
"api node/..." and later "partner/...", are known by the names in its comfy_api_nodes/nodes_*.py (2025 and 2026), and
those to come by a name of the same form together with a prompt and without weights of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# nodes.py and comfy_extras of ComfyUI, and widespread custom nodes (Impact Pack, Efficiency, Easy-Use, tinyterra).
_SAMPLER = re.compile(
    r"[kK][ _]?Sampler(?!\w*[ _]?(Select|Provider|Config|Setting|Param))|^SamplerCustom(Advanced)?(?=\W|_|$)"
    r"|^UltimateSDUpscale|^(FaceDetailer|DetailerForEach|SEGSDetailer|MaskDetailer|SEGSUpscaler)"
)
_NAMED_SAMPLER = re.compile(r"(?<!re)(?<!up)(?<!down)(?<!sub)sampler", re.IGNORECASE)
_NOISE = {"seed", "noise_seed", "noise"}
_GUIDANCE = {"positive", "guider", "conditioning", "text_embeds"}
_SCHEDULE = {"steps", "num_steps", "num_inference_steps", "inference_steps", "denoise"}
_WRITES = re.compile(r"save|preview|metadata|load|show|note|combine", re.IGNORECASE)
_DECODER = re.compile(r"VAEDecode")

_SERVICE = re.compile(
    r"(Bria|ByteDance|Higgsfield|Kling|Luma(Image|Video)|Magnific|Meshy|Minimax|Moonvalley|Pixverse|Pruna|Quiver|Recraft"
    r"|ReveImage|Runway|Stability|Tencent|Tripo|Veo|Vidu)\w*Node\w*|Kling\w+|Pika\w+|Rodin3D_\w+|Krea\d?ImageNode\w*"
    r"|Flux\w*(Image|Expand|Fill|Canny|Depth|Erase|VTO)Node|Ideogram\w*V\d\w*|GImage\d*Node|Ltxv?Api\w+|Wan\w+Api"
    r"|(Gemini|Grok|OpenAI|OpenRouter)(Dalle|GPTImage|Image|NanoBanana|Video)\w*"
    r"|\w*((To|2)(Image|Video)|(Image|Video)(Edit|Gen|Creat|Remix))\w*(Api|API)"
)
_TOOL = re.compile(
    r"^(?!\w*Creative).*Upscal|Enhance|VSR|Remove\w*Background|Vectorize|ImageToSVG|Chat|InputFiles|ByteDanceSeedNode|Concepts"
    r"|^(Gemini|Claude|LumaReference)Node"
    r"|(To|Sync)?Audio(To|Inpaint|Isol)(?!Video)|TextToAudio|Style(V3|Node$)|ColorRGB|Controls$|Template|Prompt(?!To)"
    r"|Caption|Descri|Segment|Detect|LLM|Load|Save|Send|Upload|Preview"
)
_LIKE_A_SERVICE = re.compile(r"image|video|img|imagine|txt2|text2|inpaint|outpaint|generat|edit", re.IGNORECASE)
_LIKE_A_PARTNER = re.compile(r"(Node|Api|API|RemoteNode)(_?V?\d+\w*)?$")
_MAKES_PIXELS = re.compile(r"edit|generat|imagine|inpaint|outpaint", re.IGNORECASE)
_ENDS_IN_API = re.compile(r"A(pi|PI)(_?V?\d+\w*)?$")
_SERVICE_SETTINGS = {"aspect_ratio", "num_images"}
_PICTURE_SETTINGS = {"seed", "aspect_ratio", "resolution", "size", "image_size", "num_images", "output_format"}
_WEIGHTS = {"model", "unet", "clip", "vae", "positive", "pipe", "pipeline", "conditioning"}

INPAINTING = {"VAEEncodeForInpaint", "InpaintModelConditioning", "FluxProFillNode", "RecraftImageInpaintingNode"}

_LOADER = re.compile(
    r"load\w*?[ _]?(image|video|picture|photo)s?|(image|video)s?[ _]?load|webcam|(base64|url)[ _]?to[ _]?image"
    r"|image[ _]?from[ _]?(url|path|base64|clipboard|folder|directory|batch file)",
    re.IGNORECASE,
)
_ENCODER = re.compile(r"VAEEncode")
_NO_PIXELS = re.compile(r"mask|checkpoint|metadata|text", re.IGNORECASE)
_SAVER = re.compile(r"save|output|export|send|upload|websocket|video[ _]?combine", re.IGNORECASE)
_PREVIEW = re.compile(r"preview|compare|display|show|view", re.IGNORECASE)

# The picture that an edit starts from reaches the sampler beside the prompt.
_EDITING = re.compile(r"ReferenceLatent|QwenImageEdit|InstructPix(To)?2?Pix|InpaintModelConditioning|OmniGen|Kontext")
# Nodes that take a picture as a model for pose, outline, face or style, and inputs that carry no pixels.
_GUIDE = re.compile(
    r"control[ _]?net|ip[ _]?adapter|pulid|instant[ _]?id|clip[ _]?vision|photomaker|redux", re.IGNORECASE
)
_WITHOUT_PIXELS = re.compile(
    r"mask|prompt|text(?!ure)|string|positive|negative|conditioning|guider|guidance|model|unet|clip|vae|control|cnet|lora"
    r"|noise|sigmas|sampler|seed|steps|cfg|denoise|width|height|size|^[xy]$",
    re.IGNORECASE,
)

Node = Mapping[str, Any]


def links(node: Node) -> list[tuple[str, str, int]]:
    """Return name, node and output of each linked input; of a partner node's dotted name, the last part."""
    return [
        (name.rpartition(".")[2], str(value[0]), value[1])
        for name, value in node["inputs"].items()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and isinstance(value[1], int)
    ]


def pixel_links(node: Node) -> list[tuple[str, int]]:
    """Return node and output of each linked input that may carry pixels or latents."""
    guides = _GUIDE.search(node["class_type"])
    return [
        (origin, slot)
        for name, origin, slot in links(node)
        if not _WITHOUT_PIXELS.search(name) and not (guides and "image" in name.lower())
    ]


def has_mask(node: Node) -> bool:
    """Tell whether a node changes only a part of the picture."""
    return any("mask" in name.lower() for name, _, _ in links(node))


def samples(node: Node) -> bool:
    """Tell whether a node runs a diffusion model, by its name, or by inputs that only a sampler has."""
    name, inputs = node["class_type"], _inputs(node)
    if _SAMPLER.search(name):
        return True
    if not inputs & _NOISE or _WRITES.search(name):
        return False
    linked = {name for name, _, _ in links(node)}
    return bool(
        (_NAMED_SAMPLER.search(name) and inputs & _GUIDANCE)
        or (inputs & _SCHEDULE and (linked & _GUIDANCE or "prompt" in inputs))
    )


def decodes(node: Node) -> bool:
    """Tell whether a node turns latents into a picture."""
    return bool(_DECODER.match(node["class_type"]))


def encodes(node: Node) -> bool:
    """Tell whether a node turns a picture into latents."""
    return bool(_ENCODER.match(node["class_type"]))


def calls_service(node: Node) -> bool:
    """Tell whether a node has a service generate or edit a picture."""
    name = node["class_type"]
    if _TOOL.search(name):
        return False
    if _SERVICE.fullmatch(name):
        return True
    inputs = _inputs(node)
    if "prompt" not in inputs or _WEIGHTS & {name for name, _, _ in links(node)}:
        return False
    if pixel_links(node):  # so has a local tool that draws on a photograph or cuts it, where a prompt says what
        makes = _MAKES_PIXELS.search(name) and _LIKE_A_PARTNER.search(name)
        return bool(
            makes or (_LIKE_A_SERVICE.search(name) and (_ENDS_IN_API.search(name) or inputs & _SERVICE_SETTINGS))
        )
    signs = (_LIKE_A_SERVICE.search(name), _LIKE_A_PARTNER.search(name), inputs & _PICTURE_SETTINGS)
    return sum(map(bool, signs)) >= 2


def makes_pixels(node: Node) -> bool:
    """Tell whether pixels of a generative model come out of a node."""
    return samples(node) or decodes(node) or calls_service(node)


def loads_picture(node: Node) -> bool:
    """Tell whether a node brings in a picture from outside."""
    return bool(_LOADER.search(node["class_type"]) and not _NO_PIXELS.search(node["class_type"]))


def saves(node: Node) -> bool:
    """Tell whether a node writes a picture that it gets."""
    return bool(_SAVER.search(node["class_type"]) and pixel_links(node))


def previews(node: Node) -> bool:
    """Tell whether a node only shows a picture that it gets."""
    return bool(_PREVIEW.search(node["class_type"]) and pixel_links(node))


def edits(node: Node) -> bool:
    """Tell whether a node hands a picture to a sampler as what is to be edited."""
    return bool(_EDITING.search(node["class_type"]))


def _inputs(node: Node) -> set[str]:
    return {name.rpartition(".")[2] for name in node["inputs"]}
