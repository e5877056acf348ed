"""The vocabulary of digital source types: labels and credentials hold the same of every term."""

from __future__ import annotations

import pytest

from fauxto.evidence import generator_metadata, source_types
from fauxto.evidence.content_credentials import statement
from fauxto.evidence.content_credentials.manifests import Action, Manifest
from fauxto.images import decode
from fauxto.limits import Limits

IPTC, C2PA = "cv.iptc.org/newscodes/digitalsourcetype/", "c2pa.org/digitalsourcetype/"
KINDS = {
    "trainedAlgorithmicMedia": "generated",
    "trainedAlgorithmicData": "composite",
    "compositeWithTrainedAlgorithmicMedia": "composite",
    "compositeSynthetic": "composite",
    **dict.fromkeys(
        ("algorithmicMedia", "composite", "compositeCapture", "digitalCapture", "dataDrivenMedia", "humanEdits"), None
    ),
}


@pytest.mark.parametrize("term", KINDS)
def test_labels_and_credentials_agree(term, with_metadata, xmp_packet):
    packet = xmp_packet(f'Iptc4xmpExt:DigitalSourceType="http://{IPTC}{term}"')
    data = with_metadata("JPEG", xmp=packet)
    label = generator_metadata.read(data, decode(data), Limits())
    assert label.says == ("ai" if KINDS[term] else "nothing")
    assert label.details["kind"] == (KINDS[term] or "other")
    step = Action("edited", source_types.term(f"http://{IPTC}{term}"), None, None)
    signed = statement.find([Manifest("m", "S", None, None, True, True, (step,), (), (), False)])
    assert (signed.kind in (statement.Kind.GENERATED, statement.Kind.COMPOSITE)) == bool(KINDS[term])
    assert KINDS[term] in (None, signed.kind)


@pytest.mark.parametrize(
    ("value", "term"),
    [
        (f"http://{IPTC}compositeSynthetic", "compositeSynthetic"),
        (f" https://{IPTC}compositesynthetic ", "compositeSynthetic"),
        (f"https://{C2PA}trainedAlgorithmicData", "trainedAlgorithmicData"),
        ("CompositeSynthetic", "compositeSynthetic"),
        ("digsrctype:compositeSynthetic", "compositeSynthetic"),
        (f"http://{IPTC}compositeSynthetic/", "compositeSynthetic"),
        (f"HTTP://{IPTC.replace('cv.iptc.org', 'CV.IPTC.ORG')}compositeSynthetic", "compositeSynthetic"),
        (f"http://{IPTC}computationalCapture", "computationalCapture"),
        (f"http://{IPTC}multiFrameComputationalCapture", None),  # schema.org's word, never IPTC's
        (f"http://example.org/{IPTC}compositeSynthetic", None),
        ("http://example.org/compositeSynthetic", None),
        ("not compositeSynthetic", None),
        ("", None),
    ],
)
def test_a_term_is_known_by_its_address_or_its_bare_name(value, term):
    assert source_types.term(value) == term


FORMS = [
    "<Iptc4xmpExt:DigitalSourceType>{}</Iptc4xmpExt:DigitalSourceType>",
    '<Iptc4xmpExt:DigitalSourceType rdf:resource="{}"/>',
    '<Iptc4xmpExt:DigitalSourceType rdf:parseType="Resource"><rdf:value>{}</rdf:value></Iptc4xmpExt:DigitalSourceType>',
    '<Iptc4xmpExt:DigitalSourceType><rdf:Description rdf:value="{}" dc:title="x"/></Iptc4xmpExt:DigitalSourceType>',
    '<Iptc4xmpExt:DigitalSourceType><rdf:Bag><rdf:li rdf:resource="{}"/></rdf:Bag></Iptc4xmpExt:DigitalSourceType>',
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_which_xmp_writes_an_address(form, with_metadata, xmp_packet):
    packet = xmp_packet(elements=form.format(f"http://{IPTC}trainedAlgorithmicMedia"))
    data = with_metadata("PNG", xmp=packet)
    assert generator_metadata.read(data, decode(data), Limits()).details["kind"] == "generated"


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        (("digitalCapture", "compositeSynthetic"), "composite"),
        (("compositeSynthetic", "digitalCapture", "trainedAlgorithmicMedia"), "generated"),
        (("something", "digitalCapture"), "other"),
    ],
)
def test_the_most_telling_of_several_terms_counts(terms, kind, with_metadata, xmp_packet):
    items = "".join(f"<rdf:li>http://{IPTC}{term}</rdf:li>" for term in terms)
    bag = f"<Iptc4xmpExt:DigitalSourceType><rdf:Bag>{items}</rdf:Bag></Iptc4xmpExt:DigitalSourceType>"
    data = with_metadata("PNG", xmp=xmp_packet(elements=bag))
    assert generator_metadata.read(data, decode(data), Limits()).details["kind"] == kind
