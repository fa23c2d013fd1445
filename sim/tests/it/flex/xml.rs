//! Just enough of XML for elements that have attributes and nothing else.

use std::collections::BTreeMap;

/// One element.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) tag: String,
    attributes: BTreeMap<String, String>,
}

/// Numbers with twelve places.
const ONE: i128 = 1_000_000_000_000;

impl Element {
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.attributes.get(name);
        found.unwrap_or_else(|| panic!("<{}> has no {name}: {:?}", self.tag, self.attributes))
    }

    /// The number, in units of its twelfth place; nothing is zero.
    pub(super) fn num(&self, name: &str) -> i128 {
        parse(self.get(name))
    }

    pub(super) fn sum(&self, names: &[&str]) -> i128 {
        names.iter().map(|name| self.num(name)).sum()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }
}

fn parse(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().unwrap() };
    let part: i128 = format!("{part:0<12}").parse().unwrap();
    sign * (whole * ONE + part)
}

/// The product of two such numbers, rounded.
pub(super) fn times(a: i128, b: i128) -> i128 {
    let product = a * b;
    (product + product.signum() * ONE / 2) / ONE
}

/// Every element of a document, in order; a fault in its form is a panic.
pub(super) fn elements(text: &str) -> Vec<Element> {
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for piece in text.split('<').skip(1) {
        let (inside, _) = piece.rsplit_once('>').unwrap();
        if inside.starts_with('?') {
            continue;
        }
        if let Some(tag) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(tag));
            continue;
        }
        let body = inside.strip_suffix('/').unwrap_or(inside);
        let element = element(body);
        if body.len() == inside.len() {
            open.push(element.tag.clone());
        }
        found.push(element);
    }
    assert!(open.is_empty(), "{open:?} is not closed");
    found
}

fn element(body: &str) -> Element {
    let (tag, mut rest) = body.split_once(' ').unwrap_or((body, ""));
    let mut attributes = BTreeMap::new();
    while let Some((name, more)) = rest.split_once("=\"") {
        let (value, more) = more.split_once('"').unwrap();
        let twice = attributes.insert(name.trim().to_owned(), plain(value));
        assert!(twice.is_none(), "<{tag}> has {name} twice");
        rest = more;
    }
    assert_eq!(rest.trim(), "");
    Element { tag: tag.to_owned(), attributes }
}

fn plain(value: &str) -> String {
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    plain.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The text inside the first element of this name.
pub(super) fn inner(text: &str, tag: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    Some(rest.split_once(&format!("</{tag}>"))?.0.to_owned())
}
