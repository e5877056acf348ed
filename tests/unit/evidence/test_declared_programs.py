"""Each program's own declaration: read in every carrier, named, and never shown as a camera; and what isn't one."""

from __future__ import annotations

import json
from html import escape

import pytest

from fauxto.evidence import camera_metadata, generator_metadata, iptc
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Says

DESCRIPTION, MAKE, MODEL, SOFTWARE, ARTIST, USER_COMMENT = 0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x9286
SETTINGS = "a cat\nNegative prompt: dogs\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 64x64, {}"
LABS = "Black Forest Labs"
TIFF = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
EASY_DIFFUSION = {
    "prompt": "a cat",
    "seed": 5,
    "negative_prompt": "dogs",
    "use_stable_diffusion_model": "sd-v1-5",
    "sampler_name": "euler_a",
    "num_inference_steps": 25,
    "guidance_scale": 7.5,
}
EASY_DIFFUSION_TEXT = {
    "Prompt": "a cat",
    "Seed": "5",
    "Stable Diffusion model": "sd-v1-5",
    "Guidance Scale": "7.5",
    "Steps": "25",
}
RUINED_FOOOCUS = {
    "Prompt": "a cat",
    "Negative": "dogs",
    "steps": 30,
    "seed": 5,
    "sampler_name": "dpmpp_2m",
    "base_model_name": "xl",
    "software": "RuinedFooocus",
}
FOOOCUS = {"base_model": "xl", "prompt": "a cat", "seed": "5", "sampler": "dpm", "steps": 30}
TENSOR_ART = {
    "prompt": "a cat",
    "negativePrompt": "dogs",
    "samplerName": "Euler a",
    "steps": 30,
    "cfgScale": 4,
    "seed": "5",
    "baseModel": {"label": "x", "type": "BASE_MODEL"},
}
DIFFUSERS = {"prompt": "a cat", "num_inference_steps": 28, "guidance_scale": 7, "seed": 5, "negative_prompt": "dogs"}
SWARM = {"sui_image_params": {"prompt": "a cat", "model": "m", "seed": 5, "steps": 4}}
DGENERATE = """#! /usr/bin/env dgenerate --file
#! dgenerate 4.5.1

stabilityai/stable-diffusion-xl-base-1.0 \\
--model-type sdxl \\
--inference-steps 30 \\
--seeds 5 \\
--prompts "a cat; dogs"
"""
OPENVINO = {
    "Created with": "stable_diffusion.openvino",
    "Stable diffusion model": "bes-dev/x",
    "prompt": "a cat",
    "seed": "5",
}
PIPES = (
    "prompt: a cat\nNegative prompt: dogs\nVersion: aa62f6d, Pipeline: Original,\n"
    "Steps: 25 | Seed: 5 | Sampler: Euler a | CFG scale: 7 | Size: 64x64 | Model: revAnimated"
)
SD_CPP = "Version: stable-diffusion.cpp"
SD_CPP_JSON = f'{SD_CPP}, SDCPP: {{"schema":"sdcpp.image.params/v1","seed":5,"prompt":{{"positive":"a, b"}}}}'


def invoke(*types, **fields):
    return {"nodes": {name: {"type": name, "id": name, **fields} for name in types}, "edges": []}


def comment(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return {"photo": {USER_COMMENT: b"UNICODE\0" + text.encode("utf-16-be")}}


def parameters(value):
    return {"text": {"parameters": value if isinstance(value, str) else json.dumps(value)}}


def texts(settings):
    return {"text": {key: str(value) for key, value in settings.items()}}


def credit(value):
    return {"iptc": bytes([0x1C, 2, iptc.CREDIT, 0, len(value)]) + value.encode()}


# What is written into the file, the generator, the kind, and the formats that can hold it.
EXIF = ("JPEG", "PNG", "WEBP")
PNG = ("PNG",)
JPEG = ("JPEG",)
DECLARATIONS = {
    "FLUX": (
        {"image": {MAKE: LABS, MODEL: "flux-dev", SOFTWARE: "AI generated;txt2img;flux"}},
        "FLUX",
        "generated",
        EXIF,
    ),
    "FLUX, image to image": ({"image": {MAKE: LABS, SOFTWARE: "AI generated;img2img;flux"}}, "FLUX", "composite", EXIF),
    "FLUX Fill": ({"image": {SOFTWARE: "AI generated;fill;flux", MODEL: "flux-dev-fill"}}, "FLUX", "composite", EXIF),
    "FLUX Canny": ({"image": {SOFTWARE: "AI generated;canny;flux"}}, "FLUX", "generated", EXIF),
    "FLUX.2": ({"image": {MAKE: LABS, SOFTWARE: "AI generated;flux2"}}, "FLUX", "generated", EXIF),
    "FLUX, software as model": ({"image": {MODEL: "AI generated;txt2img;flux"}}, "FLUX", "generated", EXIF),
    "FLUX, make alone": ({"image": {MAKE: LABS}}, "FLUX", "generated", EXIF),
    "FLUX, model alone": ({"image": {MODEL: "flux-dev-canny-lora"}}, "FLUX", "generated", EXIF),
    "FLUX, a copy": ({"image": {SOFTWARE: "AI generated;txt2img;flux;KV-Edit"}}, "FLUX", "generated", EXIF),
    "FLUX, copiers too": ({"image": {MAKE: f"{LABS} & somebody"}}, "FLUX", "generated", EXIF),
    "FLUX, XMP": (
        {"attributes": f'{TIFF} tiff:Make="ACME" tiff:Software="AI generated;txt2img;flux"'},
        "FLUX",
        "generated",
        EXIF,
    ),
    "XLabs": ({"image": {MAKE: "XLabs AI", MODEL: "flux-dev"}}, "XLabs", "generated", EXIF),
    "Qwen": ({"image": {MAKE: "Qwen", SOFTWARE: "AI generated;t2i;qwen"}}, "Qwen-Image", "generated", EXIF),
    "Qwen Edit": ({"image": {SOFTWARE: "AI generated;ti2i;qwen"}}, "Qwen-Image", "composite", EXIF),
    "Krea": ({"image": {MAKE: "Krea.ai", SOFTWARE: "AI generated;krea2"}}, "Krea", "generated", EXIF),
    "anyone": ({"image": {MAKE: "Loom24.ai", SOFTWARE: "AI generated"}}, "an AI generator", "generated", EXIF),
    "Easy Diffusion": (texts(EASY_DIFFUSION), "Easy Diffusion", "generated", PNG),
    "Easy Diffusion, in words": (texts(EASY_DIFFUSION_TEXT), "Easy Diffusion", "generated", PNG),
    "Easy Diffusion, comment": (comment(EASY_DIFFUSION), "Easy Diffusion", "generated", EXIF),
    "Easy Diffusion, description": (
        {"image": {DESCRIPTION: json.dumps(EASY_DIFFUSION)}},
        "Easy Diffusion",
        "generated",
        EXIF,
    ),
    "RuinedFooocus": (parameters(RUINED_FOOOCUS), "RuinedFooocus", "generated", PNG),
    "RuinedFooocus, comment": (comment(RUINED_FOOOCUS), "RuinedFooocus", "generated", EXIF),
    "Fooocus": (parameters(FOOOCUS | {"version": "Fooocus v2.5.5"}), "Fooocus", "generated", PNG),
    "FooocusPlus": (comment(FOOOCUS | {"version": "FooocusPlus 1.0.3"}), "FooocusPlus", "generated", EXIF),
    "FooocusPlus, software": ({"image": {SOFTWARE: "FooocusPlus 1.0.0"}}, "FooocusPlus", "generated", EXIF),
    "Fooocus-MRE": (
        {"text": {"Comment": json.dumps(FOOOCUS | {"version": "Fooocus v1.1 MRE v2.0"})}},
        "Fooocus-MRE",
        "generated",
        PNG,
    ),
    "SwarmUI, old": ({"image": {MODEL: json.dumps(SWARM)}}, "SwarmUI", "generated", EXIF),
    "Tensor.Art": ({"text": {"generation_data": json.dumps(TENSOR_ART) + "\0"}}, "Tensor.Art", "generated", PNG),
    "a script with Diffusers": (texts(DIFFUSERS), "Diffusers", "generated", PNG),
    "a space with Diffusers": ({"text": {"metadata": json.dumps(DIFFUSERS)}}, "Diffusers", "generated", PNG),
    "dgenerate": ({"text": {"DgenerateConfig": DGENERATE}}, "dgenerate", "generated", PNG),
    "dgenerate, comment": (comment(DGENERATE), "dgenerate", "generated", EXIF),
    "dgenerate, with a picture": (comment(DGENERATE + "--image-seeds photo.jpg"), "dgenerate", "composite", EXIF),
    "dgenerate, description": ({"image": {DESCRIPTION: DGENERATE}}, "dgenerate", "generated", EXIF),
    "OpenVINO": (texts(OPENVINO), "OpenVINO", "generated", PNG),
    "SD.Next, pipes": (parameters(PIPES), "SD.Next", "generated", PNG),
    "SD.Next, pipes in a comment": (comment(PIPES), "SD.Next", "generated", EXIF),
    "SD.Next": (parameters(SETTINGS.format("App: SD.Next, Version: 1")), "SD.Next", "generated", PNG),
    "Forge": (comment(SETTINGS.format("Version: f2.0.1v1.10.1")), "Forge", "generated", EXIF),
    "Forge classic": (parameters(SETTINGS.format("Version: classic")), "Forge", "generated", PNG),
    "Forge Neo": (parameters(SETTINGS.format("Version: neo")), "Forge", "generated", PNG),
    "Draw Things": (comment(SETTINGS.format("Seed Mode: Scale Alike")), "Draw Things", "generated", EXIF),
    "stable-diffusion.cpp": (parameters(SETTINGS.format(SD_CPP)), "stable-diffusion.cpp", "generated", PNG),
    "stable-diffusion.cpp 2026": (comment(SETTINGS.format(SD_CPP_JSON)), "stable-diffusion.cpp", "generated", EXIF),
    "WebUI's form as a description": (
        {"image": {DESCRIPTION: SETTINGS.format("Version: v1.9")}},
        "AUTOMATIC1111",
        "generated",
        EXIF,
    ),
    "InvokeAI's graph": (
        {"text": {"invokeai_graph": json.dumps(invoke("noise", "denoise_latents", "l2i", seed=5))}},
        "InvokeAI",
        "generated",
        PNG,
    ),
    "InvokeAI's graph, FLUX": (
        {"text": {"invokeai_graph": json.dumps(invoke("flux_denoise", "flux_vae_decode", seed=5))}},
        "InvokeAI",
        "generated",
        PNG,
    ),
    "InvokeAI's graph, XMP": (
        {"attributes": f'xmlns:i="urn:i" i:invokeai_graph="{escape(json.dumps(invoke("denoise_latents", seed=5)))}"'},
        "InvokeAI",
        "generated",
        EXIF,
    ),
    "InvokeAI's graph of the canvas": (
        {"text": {"invokeai_graph": json.dumps(invoke("i2l", "create_denoise_mask", "denoise_latents", seed=5))}},
        "InvokeAI",
        "composite",
        PNG,
    ),
    "InvokeAI's workflow": (
        {"text": {"invokeai_workflow": json.dumps({"nodes": [{"data": {"type": "sd3_denoise", "seed": 5}}]})}},
        "InvokeAI",
        "generated",
        PNG,
    ),
    "imaginAIry": ({"image": {SOFTWARE: "Imaginairy / Stable Diffusion v1.4"}}, "imaginAIry", "generated", EXIF),
    "AI Horde": (
        {"image": {SOFTWARE: "Stable UI - Create images with Stable Diffusion using the AI Horde"}},
        "AI Horde",
        "generated",
        EXIF,
    ),
    "Apple Image Playground": (credit("Apple Image Playground"), "Apple Image Playground", "generated", JPEG),
    "Apple Image Playground, XMP": (
        {"attributes": 'photoshop:Credit="Apple Image Playground"'},
        "Apple Image Playground",
        "generated",
        EXIF,
    ),
    "Google, as made": (credit("Made by Google AI"), "Google AI", "generated", JPEG),
    "Meta": (credit("Imagined with AI"), "Meta AI", "generated", JPEG),
    "Midjourney by its name": ({"attributes": 'xmp:CreatorTool="Midjourney"'}, "Midjourney", "generated", EXIF),
    "DALL-E by its name": ({"text": {"Software": "DALL·E 3"}}, "DALL-E", "generated", PNG),
}
IN_FILES = [
    pytest.param(format, *declaration[:3], id=f"{name} {format}")
    for name, declaration in DECLARATIONS.items()
    for format in declaration[3]
]


@pytest.fixture
def build(with_metadata, exif_block, xmp_packet):
    def build(format, *, image=None, photo=None, attributes=None, **blocks):
        if image or photo:
            blocks["exif"] = exif_block(image or {}, photo=photo)
        if attributes:
            blocks["xmp"] = xmp_packet(attributes, "")
        return with_metadata(format, **blocks)

    return build


def read(source, data):
    limits = Limits()
    return source.read(data, decode(data, limits), limits)


@pytest.mark.parametrize(("format", "metadata", "generator", "kind"), IN_FILES)
def test_each_program_is_named_and_is_no_camera(build, format, metadata, generator, kind):
    data = build(format, **metadata)
    evidence = read(generator_metadata, data)
    assert (evidence.says, evidence.details["kind"]) == (Says.AI, kind)
    assert generator in evidence.details["generator"]
    assert "unreadable" not in evidence.details
    assert "names a camera" not in read(camera_metadata, data).summary


def test_settings_are_read_from_each_form(build):
    stated = {"prompt": "a cat", "seed": 5}
    for name in (
        "Easy Diffusion",
        "RuinedFooocus",
        "dgenerate",
        "OpenVINO",
        "SD.Next, pipes",
        "Tensor.Art",
        "Diffusers",
    ):
        metadata = DECLARATIONS.get(name, DECLARATIONS["a script with Diffusers"])[0]
        [declaration] = read(generator_metadata, build("PNG", **metadata)).details["declarations"]
        assert {key: declaration.get(key) for key in stated} == stated, name
        if name not in ("OpenVINO",):
            assert declaration["negative_prompt"] == "dogs", name


# What stands in photographs, each in the field where a declaration would stand.
INNOCENT = [
    *(
        {"image": {SOFTWARE: value}}
        for value in (
            "Adobe Photoshop 27.0 (Windows)",
            "Adobe Photoshop Lightroom Classic 14.1 (Macintosh)",
            "Luminar AI",
            "Luminar Neo",
            "Topaz Photo AI 3.1",
            "Topaz Gigapixel AI",
            "DxO PhotoLab 8",
            "DxO PureRAW 4",
            "Flux Studio photography",
            "flux",
            "Canva",
            "Picasa",
            "AI Servo",
            "Photo taken with AI",
            "AI generated captions by us",
            "not AI generated",
            "Stable Diffusion is a process in physics",
            "Upscayl",
            "GIMP 3.0",
            "HDR+ 1.0.123456789zd",
            "Edge AI Camera 2.1",
            "Krea Fotografie",
            "Midjourney is not what made this",
        )
    ),
    *(
        {"image": {MAKE: make, MODEL: model}}
        for make, model in (
            ("Canon", "Canon EOS R5"),
            ("Black Magic Labs", "Flux"),
            ("Google", "Pixel 10 Pro"),
            ("samsung", "Galaxy S25 AI"),
            ("FLUX", "flux capacitor"),
            ("Apple", "iPhone 17 Pro"),
            ("Qwen", "Q1"),
        )
    ),
    *(
        {"image": {ARTIST: value}}
        for value in ("Kling Tang", "Luma Ray", "Flux Studio", "Black Forest Labs", "AI generated")
    ),
    *(
        {"image": {DESCRIPTION: value}}
        for value in (
            "AI Servo, single shot",
            "AI generated;txt2img;flux is what others write",
            "Steps: 20 | to the lighthouse",
            "#! dgenerate is a program",
            '{"prompt": "take a photo", "seed": 5}',
        )
    ),
    comment("AI Servo"),
    comment("#! dgenerate\n# only scaled\n--sub-command image-process photo.jpg"),
    comment({"software": "Fooocus", "prompt": "x"}),
    comment({"software": ["RuinedFooocus"]}),
    comment({"sui_image_params": "no"}),
    parameters("Steps: 20 | then turn left"),
    parameters({"prompt": "a cat", "seed": 5, "steps": 3}),
    {"text": {"prompt": "Say cheese", "seed": "corn", "Software": "Adobe ImageReady"}},
    {"text": {"Created with": "GIMP"}},
    {"text": {"Comment": "Created with GIMP", "Source": "stable_diffusion.openvino"}},
    {"text": {"DgenerateConfig": "none"}},
    {"text": {"invokeai_graph": json.dumps(invoke("image", "esrgan", "save_image"))}},
    {"text": {"invokeai_graph": json.dumps(invoke("create_denoise_mask", "img_resize"))}},
    {"text": {"invokeai_graph": json.dumps({"nodes": [["denoise_latents"], None]})}},
    credit("Apple Inc."),
    credit("AI Images Agency"),
    credit("Photo: Image Playground School"),
    {"attributes": 'xmp:CreatorTool="Adobe Photoshop 27.0 (Generative)"'},
    {"attributes": 'photoshop:Credit="Edited by Google"'},
]


@pytest.mark.parametrize("metadata", INNOCENT, ids=str)
def test_ordinary_words_of_photographs_declare_nothing(build, metadata):
    evidence = read(generator_metadata, build("JPEG" if "iptc" in metadata else "PNG", **metadata))
    assert (evidence.says, dict(evidence.details)) == (Says.NOTHING, {})


def test_the_software_tells_the_kind_where_a_make_tells_only_the_maker(build):
    metadata = {"image": {MAKE: LABS, MODEL: "flux-dev", SOFTWARE: "AI generated;img2img;flux"}}
    [declaration] = read(generator_metadata, build("JPEG", **metadata)).details["declarations"]
    assert (declaration["where"], declaration["kind"]) == ("EXIF Software", "composite")


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 20 | " + "Seed: 5 | " * 50_000,
        "\nVersion: " * 50_000 + "\nSteps: 20 | Seed: 5 | Size: 1x1",
        DGENERATE + '--prompts "' * 50_000,
        json.dumps({"nodes": {str(number): {"type": "x_" * 90 + "denoise"} for number in range(3000)}}),
        '{"nodes": ' + "[" * 100_000,
    ],
    ids=["pipes", "versions", "options", "types", "deep"],
)
def test_hostile_settings_take_bounded_time(build, text):
    keywords = ("parameters", "DgenerateConfig", "invokeai_graph", "generation_data")
    for keyword in keywords:
        read(generator_metadata, build("PNG", text={keyword: text}))
