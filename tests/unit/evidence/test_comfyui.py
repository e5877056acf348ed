"""ComfyUI's graphs: what the pixels of the saved picture went through, and nothing else, decides."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from fauxto.evidence import generator_metadata
from fauxto.evidence.generator_metadata import comfyui_nodes
from fauxto.images import decode
from fauxto.limits import Limits

PUBLISHED = [line.split(" ") for line in Path(__file__).with_name("comfyui_nodes.txt").read_text().splitlines()]
NODES = {name: mark == "+" for mark, name in (line for line in PUBLISHED if line[0] in "+-")}


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def link(identifier, slot=0):
    return [str(identifier), slot]


LOAD, EMPTY = node("LoadImage", image="photo.png"), node("EmptyLatentImage", width=64, height=64)
ENCODE = node("VAEEncode", pixels=link("load"), vae=link("model", 2))
MODEL = node("CheckpointLoaderSimple", ckpt_name="dream.safetensors")
TEXT = node("CLIPTextEncode", text="a cat", clip=link("model", 1))


def sampler(latent, denoise=1.0, name="KSampler", **inputs):
    settings = {"seed": 5, "steps": 20, "sampler_name": "euler", "denoise": denoise}
    linked = {"model": link("model"), "positive": link("text"), "latent_image": link(latent)}
    return node(name, **settings, **linked, **inputs)


def graph(saved, **nodes):
    save = node("SaveImage", images=link(saved))
    return {"model": MODEL, "text": TEXT, "load": LOAD, "empty": EMPTY, "save": save} | nodes


def txt2img(**nodes):
    return graph("decode", decode=node("VAEDecode", samples=link("sample")), sample=sampler("empty")) | nodes


def img2img(denoise, **nodes):
    decoder = node("VAEDecode", samples=link("sample"))
    return graph("decode", decode=decoder, encode=ENCODE, sample=sampler("encode", denoise)) | nodes


def service(name, **inputs):
    return graph("service", service=node(name, prompt="a cat", **inputs))


UPSCALED = node("ImageUpscaleWithModel", image=link("load"), upscale_model=link("model"))
GRAPHS = {
    "text to image": (txt2img(), "generated"),
    "a loaded picture that nothing uses": (txt2img(), "generated"),
    "outline from a photograph": (
        txt2img(
            text=node(
                "ControlNetApplyAdvanced", positive=link("words"), image=link("edges"), control_net=link("model")
            ),
            words=TEXT,
            edges=node("CannyEdgePreprocessor", image=link("load")),
        ),
        "generated",
    ),
    "size of a photograph": (
        txt2img(
            empty=node("EmptyLatentImage", width=link("size"), height=link("size", 1)),
            size=node("GetImageSize", image=link("load")),
        ),
        "generated",
    ),
    "style of a photograph": (
        txt2img(model=node("IPAdapterAdvanced", model=link("checkpoint"), image=link("load")), checkpoint=MODEL),
        "generated",
    ),
    "unknown sampler": (
        graph(
            "decode",
            decode=node("VAEDecodeTiled", samples=link("sample")),
            sample=node("MyOwnThing", latent=link("empty")),
        ),
        "generated",
    ),
    "sampler without that name": (
        graph("detail", detail=sampler("empty", 0.4, "FaceDetailer", image=link("load"))),
        "composite",
    ),
    "upscaled by a sampler": (
        graph("upscale", upscale=node("UltimateSDUpscale", image=link("load"), seed=5, steps=20, denoise=0.2)),
        "composite",
    ),
    "upscaled after generation": (
        txt2img(
            save=node("SaveImage", images=link("upscale")),
            upscale=node("UltimateSDUpscale", image=link("decode"), seed=5, denoise=0.2),
        ),
        "generated",
    ),
    "edited a little": (img2img(0.4), "composite"),
    "hardly anything left": (img2img(0.9), "generated"),
    "inpainted": (
        img2img(
            1.0,
            sample=sampler("masked"),
            masked=node("SetLatentNoiseMask", samples=link("encode"), mask=link("load", 1)),
        ),
        "composite",
    ),
    "edited by reference": (
        txt2img(
            text=node("ReferenceLatent", conditioning=link("words"), latent=link("encode")),
            words=TEXT,
            encode=ENCODE,
        ),
        "composite",
    ),
    "edited by Qwen": (txt2img(text=node("TextEncodeQwenImageEdit", prompt="x", image=link("load"))), "composite"),
    "pasted into a photograph": (
        txt2img(
            save=node("SaveImage", images=link("paste")),
            paste=node("ImageCompositeMasked", destination=link("load"), source=link("decode"), mask=link("load", 1)),
        ),
        "composite",
    ),
    "pasted where the photograph's alpha is": (
        txt2img(
            save=node("SaveImage", images=link("join")),
            join=node("JoinImageWithAlpha", image=link("decode"), alpha=link("load", 1)),
        ),
        "generated",
    ),
    "only scaled": (graph("upscale", upscale=UPSCALED), None),
    "only scaled, beside a sampler that nothing uses": (
        graph("upscale", upscale=UPSCALED, sample=sampler("empty")),
        None,
    ),
    "through the autoencoder": (graph("decode", decode=node("VAEDecode", samples=link("encode")), encode=ENCODE), None),
    "background removed": (service("BriaRemoveImageBackground", image=link("load")), None),
    "upscaled by a service": (service("TopazImageEnhance", image=link("load")), None),
    "described": (
        graph(
            "draw",
            draw=node("DrawText", image=link("load"), text=link("chat")),
            chat=node("OpenAIChatNode", prompt="What is it?", images=link("load")),
        ),
        None,
    ),
    "service": (service("GrokImageNode", model="grok-imagine-image"), "generated"),
    "service with its own inputs": (
        graph("service", service=node("MetaMuseImageTextToImageApi", **{"model.prompt": "x"})),
        "generated",
    ),
    "service that edits": (service("GeminiImageNode", images=link("load")), "composite"),
    "service that edits, inputs with dots": (
        graph("service", service=node("MetaMuseImageEditApi", **{"model.images.image_1": link("load")})),
        "composite",
    ),
    "frame of a service's video": (
        graph(
            "frames",
            frames=node("GetVideoComponents", video=link("video")),
            video=node("Veo3VideoGenerationNode", prompt="x"),
        ),
        "generated",
    ),
    "partner to come": (service("AcmeTextToImageNode", seed=5), "generated"),
    "partner to come, with another name": (service("AcmePictureApi", aspect_ratio="1:1", seed=1), "generated"),
    "partner to come, that edits": (service("AcmeImageEditNodeV2", image=link("load")), "composite"),
    "several savers": (txt2img(again=node("SaveImageWebsocket", images=link("sample"))), "generated"),
    "saver and a preview of the photograph": (txt2img(show=node("PreviewImage", images=link("load"))), "generated"),
    "custom saver": (
        txt2img(save=node("Image Saver", images=link("decode"), positive="a cat", seed_value=5, steps=20)),
        "generated",
    ),
    "custom saver of a photograph": (
        graph("x", save=node("Image Saver", images=link("load"), positive=link("text"), seed=5, steps=20)),
        None,
    ),
    "preview": (txt2img(save=node("PreviewImage", images=link("decode"))), "generated"),
    "without a saver": ({key: value for key, value in txt2img().items() if key != "save"}, "generated"),
    "cycle": (txt2img(sample=sampler("loop"), loop=node("LatentUpscale", samples=link("sample"))), "generated"),
    "cycle of a photograph": (
        graph("a", a=node("ImageScale", image=link("b")), b=node("ImageBlend", image1=link("a"), image2=link("load"))),
        None,
    ),
}


def read(data):
    limits = Limits()
    return generator_metadata.read(data, decode(data, limits), limits)


@pytest.mark.parametrize(("graph", "kind"), GRAPHS.values(), ids=GRAPHS.keys())
def test_the_pixels_of_the_saved_picture_decide(with_metadata, graph, kind):
    evidence = read(with_metadata("PNG", text={"prompt": json.dumps(graph)}))
    assert (evidence.says, evidence.details.get("kind")) == ("ai" if kind else "nothing", kind)


def test_a_graph_that_saves_a_photograph_too_does_not_tell_which_this_is(with_metadata):
    graph = txt2img(original=node("SaveImage", images=link("scaled")), scaled=node("ImageScale", image=link("load")))
    evidence = read(with_metadata("PNG", text={"prompt": json.dumps(graph)}))
    assert (evidence.says, evidence.details["kind"]) == ("nothing", "other")
    assert "doesn't tell which" in evidence.summary


@pytest.mark.parametrize(("name", "generates"), NODES.items())
def test_the_published_nodes_are_known(name, generates):
    speaks = not generates and name.endswith("Node")  # a language model, say
    known = {"class_type": name, "inputs": {"prompt": "x", "seed": 5} if speaks else {}}
    assert (comfyui_nodes.samples(known) or comfyui_nodes.calls_service(known)) is generates


def editor(*nodes, links=(), **rest):
    return {"nodes": list(nodes), "links": list(links), "version": 0.4, **rest}


def box(identifier, node_type, inputs=(), *, mode=0, outputs=("IMAGE",), values=()):
    return {
        "id": identifier,
        "type": node_type,
        "mode": mode,
        "inputs": [{"name": name, "type": kind, "link": number} for name, kind, number in inputs],
        "outputs": [{"name": kind, "type": kind} for kind in outputs],
        "widgets_values": list(values),
        "properties": {"cnr_id": "comfy-core", "Node name for S&R": node_type},
    }


def chain(sampler_mode=0, latent="EmptyLatentImage", between=()):
    """Load or make latents, sample, decode, save: nodes 1 to 5, with links that have their target's number."""
    source = box(1, latent, outputs=("LATENT",)) if latent.startswith("Empty") else box(1, latent)
    start = [box(6, "VAEEncode", [("pixels", "IMAGE", 6)], outputs=("LATENT",))] if latent == "LoadImage" else []
    sample = box(2, "KSampler", [("latent_image", "LATENT", 2)], mode=sampler_mode, outputs=("LATENT",))
    decode = box(3, "VAEDecode", [("samples", "LATENT", 3)])
    links = [[2, 6 if start else 1, 0, 2, 0, "LATENT"], [3, 2, 0, 3, 0, "LATENT"], [5, 3, 0, 5, 0, "IMAGE"]]
    if start:
        links.append([6, 1, 0, 6, 0, "IMAGE"])
    return editor(
        source, *start, sample, decode, box(5, "SaveImage", [("images", "IMAGE", 5)], outputs=()), links=links
    )


def in_subgraph(mode=0):
    """A loaded picture and a subgraph that holds the sampler, whose output is saved; the loaded one is passed by."""
    inner = {
        "id": "11111111-1111-4111-8111-111111111111",
        "name": "Generate",
        "inputs": [{"name": "width"}, {"name": "source"}],
        "outputs": [{"name": "picture"}, {"name": "same"}],
        "nodes": [
            box(1, "EmptyLatentImage", outputs=("LATENT",)),
            box(2, "KSampler", [("latent_image", "LATENT", 1)], outputs=("LATENT",)),
            box(3, "VAEDecode", [("samples", "LATENT", 2)]),
        ],
        "links": [
            {"id": 1, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0},
            {"id": 2, "origin_id": 2, "origin_slot": 0, "target_id": 3, "target_slot": 0},
            {"id": 3, "origin_id": 3, "origin_slot": 0, "target_id": -20, "target_slot": 0},
            {"id": 4, "origin_id": -10, "origin_slot": 1, "target_id": -20, "target_slot": 1},
        ],
    }

    def outer(slot):
        return editor(
            box(1, "LoadImage"),
            box(2, inner["id"], [("source", "IMAGE", 1)], mode=mode),
            box(3, "SaveImage", [("images", "IMAGE", 2)]),
            links=[[1, 1, 0, 2, 0, "IMAGE"], [2, 2, slot, 3, 0, "IMAGE"]],
            definitions={"subgraphs": [inner]},
        )

    return outer


WORKFLOWS = {
    "plain": (chain(), "generated"),
    "of a photograph": (chain(latent="LoadImage"), "composite"),
    "bypassed sampler of a photograph": (chain(4, "LoadImage"), None),
    "subgraph": (in_subgraph()(0), "generated"),
    "subgraph that passes the photograph": (in_subgraph()(1), None),
    "bypassed subgraph": (in_subgraph(4)(0), None),
    "reroute": (
        editor(
            box(1, "GrokImageNode"),
            box(2, "Reroute", [("", "*", 1)]),
            box(3, "SaveImage", [("images", "IMAGE", 2)]),
            links=[[1, 1, 0, 2, 0, "*"], [2, 2, 0, 3, 0, "*"]],
        ),
        "generated",
    ),
    "set and get": (
        editor(
            box(1, "GrokImageNode"),
            box(2, "SetNode", [("IMAGE", "IMAGE", 1)], values=["picture"]),
            box(3, "GetNode", values=["picture"]),
            box(4, "SaveImage", [("images", "IMAGE", 2)]),
            links=[[1, 1, 0, 2, 0, "IMAGE"], [2, 3, 0, 4, 0, "IMAGE"]],
        ),
        "generated",
    ),
    "only scaled": (
        editor(
            box(1, "LoadImage"),
            box(2, "ImageScaleBy", [("image", "IMAGE", 1)]),
            box(3, "SaveImage", [("images", "IMAGE", 2)]),
            box(9, "KSampler", [("latent_image", "LATENT", None)]),
            links=[[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]],
        ),
        None,
    ),
}


@pytest.mark.parametrize(("workflow", "kind"), WORKFLOWS.values(), ids=WORKFLOWS.keys())
def test_the_editor_graph_is_read_in_the_same_way(with_metadata, workflow, kind):
    evidence = read(with_metadata("PNG", text={"workflow": json.dumps(workflow)}))
    assert (evidence.says, evidence.details.get("kind")) == ("ai" if kind else "nothing", kind)


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize("place", ["comment", "both in a comment", "named comment", "named Make"])
def test_a_graph_in_exif(with_metadata, exif_block, format, place):
    text = json.dumps(txt2img())
    if place == "named Make":
        exif = exif_block({0x010F: f"Prompt:{text}"})
    else:
        comment = {
            "comment": text,
            "both in a comment": json.dumps({"prompt": txt2img()}),
            "named comment": f"prompt: {text}",
        }
        exif = exif_block({}, photo={0x9286: b"ASCII\0\0\0" + comment[place].encode()})
    evidence = read(with_metadata(format, exif=exif))
    assert (evidence.details["kind"], evidence.details["generator"]) == ("generated", "ComfyUI")
    assert evidence.details["declarations"][0]["prompt"] == "a cat"


def subgraph_bomb():
    """Thirty subgraphs that each hold ten of the next."""
    nested = [
        {"id": f"level {depth}", "nodes": [box(number, f"level {depth + 1}") for number in range(10)], "links": []}
        for depth in range(30)
    ]
    return editor(box(1, "level 0"), definitions={"subgraphs": nested})


def wide():
    """Two thousand savers over one long chain, each node with links to many others."""
    steps = {str(step): node("ImageBlend", **{f"i{n}": link(step - n) for n in range(1, 9)}) for step in range(2500)}
    return steps | {f"s{number}": node("SaveImage", images=link(2499)) for number in range(2000)}


HOSTILE = {
    "long chain": {
        "workflow": editor(
            *(box(n, "Reroute", [("", "*", n)]) for n in range(5000)),
            links=[[n, n - 1, 0, n, 0, "*"] for n in range(5000)],
        )
    },
    "subgraph in itself": {
        "workflow": editor(box(1, "me"), definitions={"subgraphs": [{"id": "me", "nodes": [box(1, "me")] * 50}]})
    },
    "subgraph bomb": {"workflow": subgraph_bomb()},
    "many savers": {"prompt": wide()},
    "long names": {"prompt": {"1": node("ToImage" * 100_000, prompt="x"), "2": node("a" * 150_000, seed=1, steps=2)}},
    "wrong types": {
        "prompt": {"1": node("SaveImage", images=[["1"], {}]), "2": node("KSampler", seed=[None, 0], positive=[1.5, 0])}
    },
    "wrong types in the editor": {
        "workflow": editor(
            {"id": [], "type": "KSampler", "inputs": [{"name": 5, "link": []}], "outputs": [7], "mode": {}},
            {"id": 1, "type": "GetNode", "widgets_values": [{}]},
            links=[[{}, [], 0, 1, 0], {"id": 3}, 7, [1, 2]],
            definitions={"subgraphs": [{"id": 5}, 7]},
        )
    },
}


@pytest.mark.parametrize("texts", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_graphs_take_bounded_time(with_metadata, texts):
    data = with_metadata("PNG", text={name: json.dumps(graph) for name, graph in texts.items()})
    started = time.process_time()
    read(data)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("name", "inputs", "calls"),
    [
        ("ImageTextOverlayNode", {"prompt": "hello", "size": 12}, False),
        ("GroundingDinoSAMImageCropNode", {"prompt": "the dog"}, False),
        ("AddTextToImage", {"prompt": "hello", "seed": 1}, False),
        ("NewPartnerImageEditApi", {"prompt": "a cat"}, True),
        ("NewPartnerImageNode", {"prompt": "a cat", "aspect_ratio": "1:1"}, True),
    ],
)
def test_a_local_tool_that_takes_a_prompt_and_a_photograph_is_no_service(name, inputs, calls):
    assert comfyui_nodes.calls_service(node(name, image=link("load"), **inputs)) is calls
