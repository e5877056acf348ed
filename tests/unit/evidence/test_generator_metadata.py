"""What generators write, each in its own container: self-made files, and the real ones beside the repository."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest

from fauxto.evidence import generator_metadata
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Says, Trust

SETTINGS = (
    "a cat,\nsitting\nNegative prompt: dogs,\nrain\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 123, "
    'Size: 512x512, Model hash: abc, Model: dream, Lora hashes: "a: b, Model: c", Version: v1.9.3'
)
SAID = {"prompt": "a cat,\nsitting", "negative_prompt": "dogs,\nrain", "seed": 123, "sampler": "Euler a", "steps": 20}
GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "dogs", "clip": ["1", 1]}},
    "4": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["2", 0], "guidance": 3.5}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 123,
            "steps": 20,
            "sampler_name": "euler",
            "model": ["1", 0],
            "positive": ["4", 0],
            "negative": ["3", 0],
        },
    },
    "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0]}},
}
GRAPH_SAID = {"prompt": "a cat", "negative_prompt": "dogs", "seed": 123, "sampler": "euler", "steps": 20}
EDITOR = {"nodes": [{"type": "KSampler"}, {"type": "SaveImage"}], "links": []}
SCALING = {"1": {"class_type": "LoadImage", "inputs": {}}, "2": {"class_type": "ImageResampler", "inputs": {}}}
NOVELAI = {
    "Software": "NovelAI",
    "Source": "NovelAI Diffusion V4 37442FCA",
    "Description": "a cat",
    "Comment": json.dumps({"prompt": "a cat", "uc": "dogs", "steps": 28, "sampler": "k_euler", "seed": 5, "scale": 6}),
}
SWARM = {"sui_image_params": {"prompt": "a cat", "negativeprompt": "dogs", "model": "m", "seed": 5, "steps": 4}}
FOOOCUS = {"base_model": "xl", "prompt": "a cat", "negative_prompt": "", "seed": "5", "sampler": "dpm", "steps": 30}
DRAW_THINGS = {"c": "a cat", "uc": "dogs", "model": "m.ckpt", "seed": 5, "sampler": "Euler A", "steps": 8, "v2": {}}
JOB = "a cat --ar 16:9 --v 6.1 Job ID: 826ac0a7-c9b9-4eda-b2cb-ef7dd4bc8ee3"
DREAM = '"a cat [dogs]" -s 50 -S 2980747362 -W 512 -H 768 -C 5 -A k_lms'
AIGC = {"Label": "1", "ContentProducer": "001191110102MACQD9K64010000", "ProduceID": "x"}
MAKE, MODEL, SOFTWARE, DESCRIPTION, ARTIST, USER_COMMENT = 0x010F, 0x0110, 0x0131, 0x010E, 0x013B, 0x9286
SOURCE_TYPE = 'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"'
ALGORITHMIC = SOURCE_TYPE.format("trainedAlgorithmicMedia")


def read(data):
    limits = Limits()
    evidence = generator_metadata.read(data, decode(data, limits), limits)
    assert (evidence.source, evidence.trust) == ("generator_metadata", Trust.DECLARED)
    json.dumps(evidence.details, allow_nan=False)
    return evidence


def comment(text):
    return b"UNICODE\0" + text.encode("utf-16-be")


# Format, what `with_metadata` puts into the file ("photo" and "image" are EXIF tags), then what is to be found.
CASES = {
    "webui PNG": (
        "PNG",
        {"text": {"parameters": SETTINGS}},
        "WebUI",
        "PNG text 'parameters'",
        SAID | {"model": "dream"},
    ),
    "webui JPEG": ("JPEG", {"photo": {USER_COMMENT: comment(SETTINGS)}}, "WebUI", "EXIF UserComment", SAID),
    "webui WebP": ("WEBP", {"photo": {USER_COMMENT: comment(SETTINGS)}}, "WebUI", "EXIF UserComment", SAID),
    "webui AVIF": ("AVIF", {"photo": {USER_COMMENT: comment(SETTINGS)}}, "WebUI", "EXIF UserComment", SAID),
    "forge": ("PNG", {"text": {"parameters": SETTINGS.replace("v1.9.3", "f2.0.1v1.10")}}, "Forge", None, SAID),
    "comfyui": ("PNG", {"text": {"prompt": json.dumps(GRAPH)}}, "ComfyUI", "PNG text 'prompt'", GRAPH_SAID),
    "comfyui editor": ("PNG", {"text": {"workflow": json.dumps(EDITOR)}}, "ComfyUI", "PNG text 'workflow'", {}),
    "comfyui WebP": (
        "WEBP",
        {"image": {MAKE: "workflow:" + json.dumps(EDITOR), MODEL: "prompt:" + json.dumps(GRAPH)}},
        "ComfyUI",
        "EXIF Model",
        GRAPH_SAID | {"model": "dream.safetensors"},
    ),
    "comfyui JPEG": (
        "JPEG",
        {"photo": {USER_COMMENT: json.dumps({"prompt": GRAPH, "workflow": EDITOR}).encode()}},
        "ComfyUI",
        "EXIF UserComment",
        GRAPH_SAID,
    ),
    "invokeai": (
        "PNG",
        {
            "text": {
                "invokeai_metadata": json.dumps({"generation_mode": "txt2img", "positive_prompt": "a cat", "seed": 5})
            }
        },
        "InvokeAI",
        None,
        {"prompt": "a cat", "seed": 5},
    ),
    "invokeai 2": (
        "PNG",
        {
            "text": {
                "sd-metadata": json.dumps({"app_id": "invoke-ai/InvokeAI", "image": {"prompt": "a cat", "seed": 5}})
            }
        },
        "InvokeAI",
        None,
        {"prompt": "a cat", "seed": 5},
    ),
    "invokeai 1": (
        "PNG",
        {"text": {"Dream": DREAM}},
        "InvokeAI",
        "PNG text 'Dream'",
        {"prompt": "a cat", "negative_prompt": "dogs", "seed": 2980747362, "sampler": "k_lms", "steps": 50},
    ),
    "novelai": ("PNG", {"text": NOVELAI}, "NovelAI", "PNG text 'Comment'", {"prompt": "a cat", "steps": 28, "seed": 5}),
    "novelai WebP": ("WEBP", {"photo": {USER_COMMENT: json.dumps(NOVELAI).encode()}}, "NovelAI", None, {"seed": 5}),
    "fooocus": ("PNG", {"text": {"parameters": json.dumps(FOOOCUS)}}, "Fooocus", None, {"model": "xl", "seed": 5}),
    "fooocus JPEG": ("JPEG", {"photo": {USER_COMMENT: json.dumps(FOOOCUS).encode()}}, "Fooocus", None, {"steps": 30}),
    "swarmui": (
        "PNG",
        {"text": {"parameters": json.dumps(SWARM)}},
        "SwarmUI",
        None,
        {"prompt": "a cat", "negative_prompt": "dogs", "model": "m", "seed": 5, "steps": 4},
    ),
    "draw things": (
        "PNG",
        {
            "elements": '<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">'
            f"{json.dumps(DRAW_THINGS)}</rdf:li></rdf:Alt></exif:UserComment>"
        },
        "Draw Things",
        "XMP exif:UserComment",
        {"prompt": "a cat", "negative_prompt": "dogs", "model": "m.ckpt", "sampler": "Euler A"},
    ),
    "draw things JPEG": ("JPEG", {"photo": {USER_COMMENT: json.dumps(DRAW_THINGS).encode()}}, "Draw Things", None, {}),
    "swarmui JPEG": ("JPEG", {"photo": {USER_COMMENT: json.dumps(SWARM).encode()}}, "SwarmUI", None, {"seed": 5}),
    "mflux": (
        "JPEG",
        {"elements": "<mflux:model>z-image</mflux:model><mflux:seed>5</mflux:seed>"},
        "MFLUX",
        "XMP mflux:model",
        {"model": "z-image", "seed": 5},
    ),
    "midjourney": ("PNG", {"text": {"Description": JOB}}, "Midjourney", None, {"model": "v 6.1"}),
    "midjourney EXIF": ("JPEG", {"image": {DESCRIPTION: JOB}}, "Midjourney", "EXIF ImageDescription", {}),
    "ideogram": ("PNG", {"image": {MAKE: "Ideogram AI"}}, "Ideogram", "EXIF Make", {}),
    "firefly": ("JPEG", {"attributes": 'xmp:CreatorTool="Adobe Firefly"'}, "Adobe Firefly", None, {}),
    "google": ("JPEG", {"attributes": 'photoshop:Credit="Made with Google AI"'}, "Google AI", None, {}),
    "google IPTC": ("JPEG", {"iptc": b"\x1c\x02\x6e\x00\x13Made with Google AI"}, "Google AI", "IPTC credit", {}),
    "grok": (
        "JPEG",
        {"image": {DESCRIPTION: "Signature: " + "Ab+/" * 100, ARTIST: "826ac0a7-c9b9-4eda-b2cb-ef7dd4bc8ee3"}},
        "xAI Grok",
        None,
        {},
    ),
    "source type": ("JPEG", {"attributes": ALGORITHMIC}, None, "XMP Iptc4xmpExt:DigitalSourceType", {}),
    "source type WebP": ("WEBP", {"attributes": ALGORITHMIC}, None, "XMP Iptc4xmpExt:DigitalSourceType", {}),
    "source type TIFF": ("TIFF", {"attributes": ALGORITHMIC}, None, "XMP Iptc4xmpExt:DigitalSourceType", {}),
    "source type HEIF": ("HEIF", {"attributes": ALGORITHMIC}, None, "XMP Iptc4xmpExt:DigitalSourceType", {}),
    "IPTC 2025.1": (
        "JPEG",
        {"attributes": f'{ALGORITHMIC} Iptc4xmpExt:AISystemUsed="Imagen" Iptc4xmpExt:AIPromptInformation="a cat"'},
        "Imagen",
        None,
        {"prompt": "a cat"},
    ),
}


@pytest.fixture
def build(with_metadata, exif_block, xmp_packet):
    def build(format, *, image=None, photo=None, attributes=None, elements=None, **blocks):
        if image or photo:
            blocks["exif"] = exif_block(image or {}, photo=photo)
        if attributes or elements:
            blocks["xmp"] = xmp_packet(attributes or "", elements or "")
        return with_metadata(format, **blocks)

    return build


@pytest.mark.parametrize(("format", "metadata", "generator", "where", "said"), CASES.values(), ids=CASES.keys())
def test_each_form_in_its_own_container(build, format, metadata, generator, where, said):
    evidence = read(build(format, **metadata))
    assert (evidence.says, evidence.details["kind"]) == (Says.AI, "generated")
    first = evidence.details["declarations"][0]
    assert generator is None or generator in first["generator"]
    assert evidence.details.get("generator") == first.get("generator")
    assert where in (None, first["where"])
    assert {name: first.get(name) for name in said} == said
    assert "unreadable" not in evidence.details
    assert first["where"] in evidence.summary


@pytest.mark.parametrize(
    ("format", "metadata"),
    [
        ("JPEG", {"attributes": SOURCE_TYPE.format("compositeWithTrainedAlgorithmicMedia")}),
        ("JPEG", {"attributes": 'photoshop:Credit="Edited with Google AI"'}),
        ("JPEG", {"attributes": 'photoshop:Credit="Apple Photos Clean Up"'}),
        ("PNG", {"text": {"parameters": SETTINGS.replace("Version", "Mask blur: 4, Version")}}),
        ("PNG", {"text": {"invokeai_metadata": '{"generation_mode": "sdxl_inpaint", "seed": 5}'}}),
        ("PNG", {"text": {"prompt": json.dumps(GRAPH | {"7": {"class_type": "VAEEncodeForInpaint", "inputs": {}}})}}),
    ],
)
def test_an_edited_photograph_is_a_composite(build, format, metadata):
    evidence = read(build(format, **metadata))
    assert (evidence.says, evidence.details["kind"]) == (Says.AI, "composite")
    assert "parts of it were made or edited with AI" in evidence.summary


@pytest.mark.parametrize(
    ("value", "says", "kind"),
    [
        ("http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", "ai", "generated"),
        ("https://cv.iptc.org/newscodes/digitalsourcetype/TrainedAlgorithmicMedia", "ai", "generated"),
        ("trainedAlgorithmicMedia", "ai", "generated"),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia", "nothing", "other"),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic", "ai", "composite"),
        ("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", "nothing", "other"),
        ("http://example.org/trainedAlgorithmicMedia", "nothing", None),
        ("not trainedAlgorithmicMedia", "nothing", None),
    ],
)
def test_the_vocabulary_of_digital_source_types(build, value, says, kind):
    evidence = read(build("JPEG", attributes=f'Iptc4xmpExt:DigitalSourceType="{value}"'))
    assert (evidence.says, evidence.details.get("kind")) == (says, kind)


@pytest.mark.parametrize(
    ("format", "metadata", "where"),
    [
        ("JPEG", {"elements": f"<TC260:AIGC>{json.dumps(AIGC)}</TC260:AIGC>"}, "XMP TC260:AIGC"),
        ("PNG", {"text": {"AIGC": json.dumps({"AIGC": AIGC | {"Label": "AIGC"}})}}, "PNG text 'AIGC'"),
        ("PNG", {"text": {"AIGC": json.dumps(AIGC)}}, "PNG text 'AIGC'"),
        ("JPEG", {"photo": {USER_COMMENT: json.dumps({"AIGC": AIGC}).encode()}}, "EXIF UserComment"),
    ],
)
def test_an_aigc_label_is_also_that_of_an_edited_photograph(build, format, metadata, where):
    evidence = read(build(format, **metadata))
    assert (evidence.says, evidence.details["kind"]) == (Says.AI, "composite")
    [declared] = evidence.details["declarations"]
    assert declared["where"] == where
    assert declared["statement"].startswith("AIGC label ")
    assert "at least parts of it were made or edited with AI" in evidence.summary
    whole = read(build(format, **metadata, attributes=ALGORITHMIC))
    assert whole.details["kind"] == "generated"


@pytest.mark.parametrize("label", ["2", "3"])
def test_an_aigc_label_of_mere_suspicion_says_nothing(build, label):
    evidence = read(build("PNG", text={"AIGC": json.dumps(AIGC | {"Label": label})}))
    assert (evidence.says, evidence.details["kind"]) == (Says.NOTHING, "other")
    assert "AI-generated)" in evidence.summary


@pytest.mark.parametrize(
    ("format", "metadata"),
    [
        ("PNG", {"text": {"prompt": json.dumps(SCALING)}}),
        ("PNG", {"text": {"prompt": "please send a cat", "workflow": "[]"}}),
        ("PNG", {"text": {"parameters": "Steps: 20, then turn left"}}),
        ("PNG", {"text": {"Software": "NovelAI", "Comment": "a friend of mine"}}),
        ("PNG", {"text": {"Dream": '"I have a dream" (speech)'}}),
        ("PNG", {"text": {"parameters": '{"seed": 5, "prompt": "sow here"}'}}),
        ("JPEG", {"photo": {USER_COMMENT: b"ASCII\0\0\0Steps: 20, Seed: many"}}),
        ("JPEG", {"image": {DESCRIPTION: "Wedding, print Job ID: 826ac0a7-c9b9-4eda-b2cb-ef7dd4bc8ee3"}}),
        ("JPEG", {"image": {MAKE: "Canon", SOFTWARE: "Adobe Photoshop 25.0"}}),
        ("PNG", {"text": {"AIGC": '{"Label": "1"}'}}),
        ("PNG", {"text": {"prompt": json.dumps(SCALING), "workflow": json.dumps(EDITOR)}}),
        ("PNG", {"text": {"workflow": json.dumps({"nodes": [{"type": "KSampler", "mode": 2}]})}}),
        ("PNG", {"text": {"workflow": json.dumps({"nodes": [{"type": "VAEDecode", "mode": 4}]})}}),
        ("PNG", {"text": {"workflow": json.dumps({"nodes": [{"type": "VideoFrameSampler"}]})}}),
        ("PNG", {"text": {"prompt": json.dumps({"1": {"class_type": "ColorSampler", "inputs": {"seed": 5}}})}}),
        ("PNG", {"text": {"parameters": SETTINGS + "\n-- this is what my neighbour typed"}}),
        ("JPEG", {"photo": {USER_COMMENT: comment(SETTINGS + "\n-- this is what my neighbour typed")}}),
        ("JPEG", {"image": {DESCRIPTION: JOB.replace("--ar 16:9 --v 6.1", "-- our party --c for all --v is it")}}),
    ],
)
def test_what_only_looks_similar_says_nothing(build, format, metadata):
    evidence = read(build(format, **metadata))
    assert (evidence.says, dict(evidence.details)) == (Says.NOTHING, {})


@pytest.mark.parametrize("system", ["none", "No AI used", "Imagen"])
def test_an_ai_system_alone_says_nothing(build, system):
    evidence = read(build("JPEG", attributes=f'Iptc4xmpExt:AISystemUsed="{system}"'))
    assert (evidence.says, evidence.details["kind"]) == (Says.NOTHING, "other")
    assert system in evidence.summary


@pytest.mark.parametrize(
    ("behind", "says"),
    [
        ("Template: a cat,\nsitting\n\nNegative Template: dogs,\nrain", "ai"),
        (
            "Template: a {cat|{big|small} dog}, {sit|stand}ting # chance\n\nNegative Template: dog{s|}, __weather/*__",
            "ai",
        ),
        ("Template: ${pet=!{cat|dog}}a ${pet}, {2$$sitting|asleep}", "ai"),
        ("Negative Template: dogs", "ai"),
        ('Hashes: {"model": "abc"}\nTemplate: a __pet__', "ai"),
        ("Template: a cat\n-- this is what my neighbour typed", "nothing"),
        ("Template: for everyone who would like to try it", "nothing"),
        ("Hashes: abc\nas my neighbour typed", "nothing"),
        ("Template: " + "{" * 30_000, "nothing"),
    ],
)
def test_settings_may_be_followed_by_templates_but_not_by_prose(build, behind, says):
    assert read(build("PNG", text={"parameters": f"{SETTINGS}\n{behind}"})).says == says


def test_a_sampler_of_another_name_is_known_by_its_inputs(build):
    graph = {"1": {"class_type": "XlabsSampler", "inputs": {"noise_seed": 5, "conditioning": ["2", 0]}}}
    assert read(build("PNG", text={"prompt": json.dumps(graph)})).details["declarations"][0]["seed"] == 5


@pytest.mark.parametrize(("deep", "sound"), [("workflow", ("prompt", GRAPH)), ("prompt", ("workflow", EDITOR))])
def test_a_graph_that_is_too_deep_leaves_the_other(build, deep, sound):
    nested = '{"nodes": ' + "[" * 200_000 + "]" * 200_000 + "}"
    evidence = read(build("PNG", text={deep: nested, sound[0]: json.dumps(sound[1])}))
    assert (evidence.says, evidence.details["generator"]) == (Says.AI, "ComfyUI")
    assert deep == "workflow" or "nested too deeply" in evidence.details["unreadable"]


def hide(photo, payload, signature):
    message = signature + (8 * len(payload)).to_bytes(4, "big") + payload
    bits = np.unpackbits(np.frombuffer(message, np.uint8))
    height, width = photo.shape[:2]
    alpha = np.full(height * width, 255, np.uint8)
    alpha[: len(bits)] = 254 | bits
    return np.dstack([photo, alpha.reshape(width, height).T])


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
@pytest.mark.parametrize(
    ("signature", "payload", "generator"),
    [
        (b"stealth_pnginfo", SETTINGS.encode(), "Stable Diffusion WebUI (AUTOMATIC1111)"),
        (b"stealth_pngcomp", gzip.compress(SETTINGS.encode()), "Stable Diffusion WebUI (AUTOMATIC1111)"),
        (b"stealth_pngcomp", gzip.compress(json.dumps(NOVELAI).encode()), "NovelAI"),
        (b"stealth_pngcomp", gzip.compress(json.dumps({"prompt": json.dumps(GRAPH)}).encode()), "ComfyUI"),
    ],
)
def test_a_message_in_the_alpha_channel(encode, photo, format, signature, payload, generator):
    pixels = hide(photo[:200, :100], payload, signature)
    evidence = read(encode(pixels, format, **({"lossless": True, "exact": True} if format == "WEBP" else {})))
    assert (evidence.says, evidence.details["generator"]) == (Says.AI, generator)
    assert evidence.details["declarations"][0]["where"].startswith("alpha channel")


def test_a_damaged_message_in_the_alpha_channel_is_noted(encode, photo):
    packed = gzip.compress(SETTINGS.encode())
    bomb = gzip.compress(bytes(20 << 20))
    for payload in (packed[:-20], b"x" + packed[1:], bomb):
        evidence = read(encode(hide(photo, payload, b"stealth_pngcomp"), "PNG"))
        assert evidence.says == Says.NOTHING
        assert "in the lowest bits is" in evidence.details["unreadable"]
    cut = hide(photo, packed, b"stealth_pngcomp")[:, :1]
    assert "cut off" in read(encode(np.ascontiguousarray(cut), "PNG")).details["unreadable"]


@pytest.mark.parametrize("format", ["PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_message_in_the_colours(encode, photo, format, compressed):
    signature = b"stealth_rgbcomp" if compressed else b"stealth_rgbinfo"
    payload = gzip.compress(SETTINGS.encode()) if compressed else SETTINGS.encode()
    bits = np.unpackbits(np.frombuffer(signature + (8 * len(payload)).to_bytes(4, "big") + payload, np.uint8))
    columns = photo[:50, :100].swapaxes(0, 1).flatten()
    columns[: len(bits)] = columns[: len(bits)] & 254 | bits
    pixels = np.ascontiguousarray(columns.reshape(100, 50, 3).swapaxes(0, 1))
    evidence = read(encode(pixels, format, **({"lossless": True} if format == "WEBP" else {})))
    assert (evidence.says, evidence.details["declarations"][0]["where"]) == (Says.AI, "lowest bits 'parameters'")
    assert evidence.details["declarations"][0]["prompt"] == SAID["prompt"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [3, 4])
def test_a_message_in_a_picture_that_is_turned_when_shown(encode, photo, exif_block, orientation, channels):
    payload = SETTINGS.encode()
    signature = b"stealth_rgbinfo" if channels == 3 else b"stealth_pnginfo"
    if channels == 3:
        bits = np.unpackbits(np.frombuffer(signature + (8 * len(payload)).to_bytes(4, "big") + payload, np.uint8))
        columns = photo[:50, :100].swapaxes(0, 1).flatten()
        columns[: len(bits)] = columns[: len(bits)] & 254 | bits
        pixels = np.ascontiguousarray(columns.reshape(100, 50, 3).swapaxes(0, 1))
    else:
        pixels = hide(photo[:100, :60], payload, signature)
    evidence = read(encode(pixels, "PNG", exif=exif_block({0x0112: orientation})))
    assert evidence.says == Says.AI


def test_every_declaration_is_listed(build):
    evidence = read(build("PNG", text={"parameters": SETTINGS, "Description": JOB}, attributes=ALGORITHMIC))
    where = [one["where"] for one in evidence.details["declarations"]]
    assert where == ["PNG text 'parameters'", "PNG text 'Description'", "XMP Iptc4xmpExt:DigitalSourceType"]
    assert "and 2 more" in evidence.summary


def test_long_texts_are_cut_and_control_characters_dropped(build):
    text = {"parameters": "\x1b[31m\u202e" + "猫" * 30_000 + SETTINGS.partition("sitting")[2]}
    evidence = read(build("PNG", text=text))
    prompt = evidence.details["declarations"][0]["prompt"]
    assert prompt.startswith("[31m猫")
    assert prompt.endswith("characters in the file]")
    assert len(json.dumps(evidence.details)) < 100_000
    assert evidence.says == Says.AI


def test_real_photographs_declare_nothing(photograph_files):
    for path in photograph_files.values():
        assert read(path.read_bytes()).says == Says.NOTHING, path.name


# What INDEX.tsv says of each kind; None where the declaration is a content credential's or there is none.
REAL = {
    "automatic1111": ("generated", "Stable Diffusion WebUI (AUTOMATIC1111)"),
    "c2pa-camera": None,
    "c2pa-dalle3-webp": None,
    "c2pa-firefly-jpg": None,
    "c2pa-openai-png": None,
    "c2pa-rs-ai": None,
    "c2pa-rs-firefly": None,
    "c2pa-rs-jpg": None,
    "c2pa-testfile": None,
    "camera-exif": None,
    "comfyui": ("generated", "ComfyUI"),
    "fooocus": ("generated", "Fooocus"),
    "google-ai-c2pa-jpg": ("generated", "Google AI"),
    "google-ai-edited-jpg": ("composite", "Google AI"),
    "google-ai-iptc-jpg": ("generated", "Google AI"),
    "ideogram-exif-png": ("generated", "Ideogram"),
    "invokeai": ("generated", "InvokeAI"),
    "mflux-xmp-png": ("generated", "MFLUX"),
    "midjourney-xmp-png": ("generated", "Midjourney"),
    "novelai": ("generated", "NovelAI"),
    "xmp-composite": ("composite", "Apple Photos Clean Up"),
    "xmp-tam-jpg": ("generated", None),
}


def test_real_files_say_what_their_index_says(shared):
    folder = shared / "data/metadata-cases"
    with (folder / "INDEX.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["kind"] for row in rows} == REAL.keys()
    for row in rows:
        evidence = read((folder / row["file"]).read_bytes())
        found = evidence.details.get("kind"), evidence.details.get("generator")
        assert found == (REAL[row["kind"]] or (None, None)), row["file"]
        assert evidence.says == ("ai" if REAL[row["kind"]] else "nothing")
        assert "unreadable" not in evidence.details
        if row["kind"] in ("automatic1111", "comfyui", "fooocus", "invokeai", "novelai"):
            assert {"prompt", "seed", "sampler", "steps"} <= evidence.details["declarations"][0].keys()
