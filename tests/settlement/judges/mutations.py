"""Changes one figure of an XML at a time."""

import re
import xml.etree.ElementTree as ElementTree
from datetime import date, timedelta

from recomputation import leaves_of

NAMESPACES = {"cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
              "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"}
for prefix, uri in NAMESPACES.items():
    ElementTree.register_namespace(prefix, uri)

OTHER_CATEGORY = {"S": "Z", "Z": "S", "E": "Z", "AE": "E", "O": "E"}
CATEGORY_PATH = re.compile(r"(TaxCategory|ClassifiedTaxCategory)/ID$")


def changed(path, text):
    """A figure that is nearly the same and as well formed: the next day, the next digit, another VAT category."""
    if CATEGORY_PATH.search(path):
        return OTHER_CATEGORY[text]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return str(date.fromisoformat(text) + timedelta(days=1))
    *_, last = re.finditer(r"\d", text)
    return text[:last.start()] + str((int(last.group()) + 1) % 10) + text[last.end():]


def has_figure(path, text):
    return bool(CATEGORY_PATH.search(path) or re.search(r"\d", text))


def mutations(xml):
    """[(what was changed, the XML with it)]: each text with a figure, and each unit, currency and scheme."""
    for place, (path, attributes, text) in enumerate(leaves_of(xml)):
        if has_figure(path, text):
            yield path, _with(xml, place, lambda leaf, path=path: setattr(leaf, "text", changed(path, leaf.text)))
        for name, value in attributes.items():
            other = {"currencyID": "USD", "unitCode": "EA", "schemeID": "0007"}[name]
            assert other != value
            yield f"{path}/@{name}", _with(xml, place, lambda leaf, name=name, other=other: leaf.set(name, other))


def unreadable(xml):
    """[(path, the XML with a letter after an amount, a quantity, a rate or a day)]."""
    for place, (path, _, text) in enumerate(leaves_of(xml)):
        if re.search(r"(Amount|Quantity|Percent|Date)$", path):
            yield path, _with(xml, place, lambda leaf: setattr(leaf, "text", leaf.text + "x"))


def _with(xml, place, change):
    root = ElementTree.fromstring(xml)
    leaves = [element for element in root.iter() if not len(element)]
    change(leaves[place])
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
