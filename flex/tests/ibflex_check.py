#!/usr/bin/env python3
"""Compares what this crate reads of a statement with what PyPI's ibflex and ElementTree read.

    ibflex_check.py --dump target/debug/examples/dump [--file STATEMENT.xml]... [--snippets | --source FOLDER]

--file      every attribute as written (ElementTree) and as read (ibflex), and sums of every decimal
            by section, element, level, currency and name (added up here from ibflex's values)
--snippets  the elements in the tests of ibflex's source package, each wrapped into a statement. The
            package is fetched by pip into a temporary folder; --source takes an unpacked one.

Installs nothing: ibflex and requests (which it needs) must be importable. Ends with 0 if all agrees, with 1 if not.
"""

import argparse
import ast
import collections
import datetime
import decimal
import enum
import glob
import importlib.metadata
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import warnings
import xml.etree.ElementTree as ET

import ibflex
from ibflex import Types, parser

LEVELS = {
    "Trade": "EXECUTION",
    "TradeConfirm": "EXECUTION",
    "Order": "ORDER",
    "Lot": "CLOSED_LOT",
    "SymbolSummary": "SYMBOL_SUMMARY",
    "AssetSummary": "ASSET_SUMMARY",
    "WashSale": "WASH_SALE",
}


class Tally:
    def __init__(self):
        self.counts = collections.Counter()
        self.wrong = []

    def check(self, kind, is_same, what):
        self.counts[kind] += 1
        if not is_same:
            self.wrong.append(f"{kind}: {what}")

    def report(self, name):
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
        print(f"{name}: {counts}; {len(self.wrong)} disagree")
        for wrong in self.wrong[:20]:
            print("  " + wrong)
        return not self.wrong


def dump(program, file):
    """Our summary and sums, and our rows."""
    out = subprocess.run([program, file, "values"], check=True, capture_output=True, text=True).stdout
    first, *rows = out.splitlines()
    return json.loads(first), [json.loads(row) for row in rows]


def elements(root):
    """Every element with attributes inside a statement, in the order of the file."""
    for statement in root.iter("FlexStatement"):
        for element in statement.iter():
            if element is not statement and element.attrib:
                yield element


def check_written(tally, rows, root):
    """What is written, by ElementTree."""
    theirs = list(elements(root))
    tally.check("rows", len(rows) == len(theirs), f"{len(rows)} rows here, {len(theirs)} there")
    for row, element in zip(rows, theirs):
        ours = [(name, value[0]) for name, value in row["values"].items()]
        same = row["element"] == element.tag and ours == list(element.attrib.items())
        tally.check("rows as written", same, f"{row} against {element.tag} {element.attrib}")
        tally.counts["attributes as written"] += len(ours)


def typed(element):
    """What ibflex makes of an element: name and value, for what it knows."""
    Class = getattr(Types, element.tag, None)
    if Class is None:
        return {}
    values = {}
    for name, text in element.attrib.items():
        try:
            values[name] = parser.parse_element_attr(Class, name, text)[1]
        except KeyError:
            pass
    return values


def agrees(read, value, text):
    """Whether what we show is what ibflex reads."""
    if value is None or value == ():
        return read in (None, text)
    if isinstance(value, decimal.Decimal):
        # Our names and ids stay texts, whatever they look like.
        return decimal.Decimal((read or "0").replace(",", "")) == value
    if isinstance(value, datetime.datetime):
        seconds = value.isoformat(timespec="seconds")
        return read in (seconds, seconds[:10] if value.time() == datetime.time() else seconds) or (
            # ibflex drops an offset; we keep it.
            read[:19] == seconds and read[19:] != ""
        )
    if isinstance(value, datetime.date):
        return read[:10] == value.isoformat()
    if isinstance(value, (datetime.time, bool, int, tuple, enum.Enum)):
        return read == text
    return read in (value, text) or is_number(value) and decimal.Decimal(read) == decimal.Decimal(value)


def is_number(text):
    try:
        return decimal.Decimal(text).is_finite()
    except decimal.InvalidOperation:
        return False


def check_read(tally, rows, root):
    for row, element in zip(rows, elements(root)):
        for name, value in typed(element).items():
            text, read = row["values"][name]
            what = f"{element.tag}.{name}={text!r}: {read!r} here, {value!r} there"
            kind = type(value).__name__ if not isinstance(value, enum.Enum) else "enum"
            tally.check(f"{kind} read", agrees(read, value, text), what)


def check_sums(tally, sums, root):
    """Every decimal that ibflex reads, added up here."""
    theirs = collections.defaultdict(lambda: [0, decimal.Decimal()])
    for statement in root.iter("FlexStatement"):
        for section, element in placed(statement, ""):
            level = element.get("levelOfDetail") or LEVELS.get(element.tag, "")
            for name, value in typed(element).items():
                # Order.orderID is a decimal to ibflex, and an id to us.
                if isinstance(value, decimal.Decimal) and not name.endswith("ID"):
                    key = (section, element.tag, level, element.get("currency") or "", name)
                    theirs[key][0] += 1
                    theirs[key][1] += value
    keys = ("section", "element", "level", "currency", "field")
    ours = {tuple(s[k] for k in keys): (s["count"], decimal.Decimal(s["sum"])) for s in sums}
    for key, (count, total) in theirs.items():
        tally.check("sums", ours.get(key) == (count, total), f"{key}: {ours.get(key)} here, {(count, total)} there")


def placed(parent, path):
    for child in parent:
        if child.attrib:
            yield path or child.tag, child
        yield from placed(child, f"{path}/{child.tag}" if path else child.tag)


def check(program, file, name):
    tally = Tally()
    ours, rows = dump(program, file)
    root = ET.parse(file).getroot()
    check_written(tally, rows, root)
    check_read(tally, rows, root)
    check_sums(tally, ours["sums"], root)
    return tally.report(name)


def check_file(program, file):
    # ibflex's own entry point takes the whole of it, or says why not.
    try:
        response = parser.parse(file)
        accounts = [statement.accountId for statement in response.FlexStatements]
        ours = [account["account"] for account in dump(program, file)[0]["summary"]["accounts"]]
        assert list(dict.fromkeys(accounts)) == ours, (accounts, ours)
        print(f"{file}: ibflex parses it as a whole; accounts agree")
    except parser.FlexParserError as error:
        print(f"{file}: ibflex refuses it as a whole ({error}); compared attribute by attribute")
    return check(program, file, file)


def unpacked(folder):
    """The source package of the ibflex that is imported."""
    package = f"ibflex=={importlib.metadata.version('ibflex')}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "ibflex", package, "-d", folder]
    subprocess.run(command, check=True)
    (package,) = glob.glob(os.path.join(folder, "ibflex-*.tar.gz"))
    with tarfile.open(package) as tar:
        tar.extractall(folder, filter="data")
    return package.removesuffix(".tar.gz")


def snippets(source):
    """The texts given to ET.fromstring in its tests."""
    with open(os.path.join(source, "tests", "test_types.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fromstring"
        if is_call and node.args and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value.strip()


def check_snippets(program, source):
    frame = ("FlexStatement", "FlexQueryResponse", "FlexStatements")
    texts = [text for text in snippets(source) if ET.fromstring(text).tag not in frame]
    assert len(texts) > 20, "the tests of ibflex are not what they were"
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "statement.xml")
        for number, text in enumerate(texts):
            with open(file, "w", encoding="utf-8") as out:
                out.write(
                    '<FlexQueryResponse queryName="s" type="AF"><FlexStatements count="1"><FlexStatement '
                    'accountId="U1" fromDate="2026-01-01" toDate="2026-01-31" period="" '
                    f'whenGenerated="2026-02-01;003105"><Section>{text}</Section></FlexStatement>'
                    "</FlexStatements></FlexQueryResponse>"
                )
            fine &= check(program, file, f"{number + 1} {ET.fromstring(text).tag}")
    print(f"{len(texts)} elements of {os.path.basename(source)}'s tests")
    return fine


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--dump", required=True)
    arguments.add_argument("--file", action="append", default=[])
    arguments.add_argument("--snippets", action="store_true")
    arguments.add_argument("--source")
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    print("ibflex", ibflex.__version__ if hasattr(ibflex, "__version__") else "")
    fine = all([check_file(given.dump, file) for file in given.file])
    if given.source:
        fine &= check_snippets(given.dump, given.source)
    elif given.snippets:
        with tempfile.TemporaryDirectory() as folder:
            fine &= check_snippets(given.dump, unpacked(folder))
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
