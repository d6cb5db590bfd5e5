//! Keeps of an SVG what is known to be harmless: an allow list of elements, attributes and addresses, written anew.

mod names;

use std::collections::{BTreeSet, HashSet};

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

/// Elements within each other.
const MAX_DEPTH: usize = 200;
/// Elements altogether.
const MAX_ELEMENTS: usize = 200_000;
/// The namespace of SVG, and the one of links in it.
const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// A cleaned SVG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clean {
    /// The whole document.
    pub(super) text: String,
    /// What was taken out, each name once: `<script>`, `onload`.
    pub(super) removed: BTreeSet<String>,
}

/// Cleans an SVG.
///
/// # Errors
/// A sentence that says why it is not taken at all.
pub(super) fn sanitize(bytes: &[u8]) -> Result<Clean, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8 text")?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut work = Work::default();
    loop {
        let event = reader
            .read_event()
            .map_err(|_| format!("it is no well-formed XML near byte {}", reader.error_position()))?;
        if matches!(event, Event::Eof) {
            break;
        }
        work.take(event)?;
    }
    if work.elements == 0 || !work.open.is_empty() {
        return Err("it holds no whole <svg> element".into());
    }
    work.out.push('\n');
    Ok(Clean { text: work.out, removed: work.removed })
}

#[derive(Debug, Default)]
struct Work {
    out: String,
    removed: BTreeSet<String>,
    /// Names of the elements that are open and kept.
    open: Vec<String>,
    /// How deep we are in something that is left out.
    skipped: usize,
    /// The text of a style element that is open.
    style: Option<String>,
    elements: usize,
    known: Known,
}

/// The allow lists, ready to be asked.
#[derive(Debug)]
struct Known {
    elements: HashSet<&'static str>,
    attributes: HashSet<&'static str>,
}

impl Default for Known {
    fn default() -> Self {
        let set = |names: &'static str| names.split_whitespace().collect();
        Self { elements: set(names::ELEMENTS), attributes: set(names::ATTRIBUTES) }
    }
}

impl Work {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => self.element(&start, false)?,
            Event::Empty(start) => self.element(&start, true)?,
            Event::End(_) if self.skipped > 0 => self.skipped -= 1,
            Event::End(_) => self.end()?,
            Event::Text(text) => self.text(&text.into_inner())?,
            Event::CData(text) => {
                let text = text.into_inner();
                let escaped = if self.style.is_some() { text } else { escape(text) };
                self.text(&escaped)?;
            }
            Event::GeneralRef(name) => {
                let name = name.into_inner();
                let whole = format!("&{name};");
                // Only what XML itself knows; anything else would need a document type.
                unescape(&whole).map_err(|_| format!("it uses the entity {}", shown(&whole)))?;
                self.text(&whole)?;
            }
            Event::DocType(text) if text.borrow().into_inner().contains(['[', '%']) => {
                return Err("its document type defines entities".into());
            }
            _ => {}
        }
        Ok(())
    }

    fn element(&mut self, start: &BytesStart<'_>, empty: bool) -> Result<(), String> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || self.open.len() + self.skipped >= MAX_DEPTH {
            return Err("it has too many elements, or too many within each other".into());
        }
        let name = start.name().into_inner().to_owned();
        let first = self.out.is_empty();
        if first && name != "svg" {
            return Err(format!("its root is <{}>, not <svg>", shown(&name)));
        }
        if self.open.is_empty() && !first {
            return Err("it has more than one root".into());
        }
        let kept = self.skipped == 0
            && self.style.is_none()
            && self.known.elements.contains(name.as_str())
            && self.is_calm(start, &name);
        if !kept {
            if self.skipped == 0 {
                self.removed.insert(format!("<{}>", shown(&name)));
            }
            self.skipped += usize::from(!empty);
            return Ok(());
        }
        if name == "style" && !empty {
            self.style = Some(String::new());
            self.open.push(name);
            return Ok(());
        }
        self.out.push_str(&format!("<{name}"));
        if first {
            self.out.push_str(&format!(" xmlns=\"{SVG}\" xmlns:xlink=\"{XLINK}\""));
        }
        self.attributes(start, &name)?;
        self.out.push_str(if empty { "/>" } else { ">" });
        if !empty {
            self.open.push(name);
        }
        Ok(())
    }

    /// An animation must not turn a link into another, or into a script.
    fn is_calm(&self, start: &BytesStart<'_>, name: &str) -> bool {
        let mut targets = start.attributes().flatten().filter(|at| at.key.into_inner() == "attributeName");
        let calm =
            |target: &str| self.known.attributes.contains(target) && !target.ends_with("href") && target != "style";
        !name.starts_with("animate") || targets.all(|at| calm(at.value.as_ref()))
    }

    fn attributes(&mut self, start: &BytesStart<'_>, element: &str) -> Result<(), String> {
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| format!("an attribute of <{}> is broken", shown(element)))?;
            let key = attribute.key.into_inner().to_owned();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let value = unescape(&attribute.value).map_err(|_| "it uses an entity in an attribute".to_owned())?;
            if is_harmless(&self.known.attributes, element, &key, &value) {
                self.out.push_str(&format!(" {key}=\"{}\"", escape(value.as_ref())));
            } else {
                self.removed.insert(shown(&key));
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let name = self.open.pop().ok_or("it closes what was not open")?;
        if let Some(style) = self.style.take() {
            if css_is_harmless(&style) {
                self.out.push_str(&format!("<style>{}</style>", escape(style.as_str())));
            } else {
                self.removed.insert("<style>".into());
            }
            return Ok(());
        }
        self.out.push_str(&format!("</{name}>"));
        Ok(())
    }

    /// Text that is escaped already, but for a style's.
    fn text(&mut self, text: &str) -> Result<(), String> {
        match &mut self.style {
            _ if self.skipped > 0 => {}
            Some(style) => style.push_str(&unescape(text).map_or_else(|_| text.to_owned(), Into::into)),
            None if self.open.is_empty() && !text.trim().is_empty() => {
                return Err("it has text outside of <svg>".into());
            }
            None if self.open.is_empty() => {}
            None => self.out.push_str(&text.replace('<', "&lt;").replace('>', "&gt;")),
        }
        Ok(())
    }
}

fn is_harmless(known: &HashSet<&str>, element: &str, key: &str, value: &str) -> bool {
    if !known.contains(key) && !key.starts_with("aria-") {
        return false;
    }
    match key {
        "href" | "xlink:href" => {
            let value = value.trim();
            value.starts_with('#') || (element == "image" && is_picture(value))
        }
        // What plays may begin on an event, and that is all it may do.
        _ => css_is_harmless(value),
    }
}

/// A picture inside the document, of a kind that holds no script.
fn is_picture(value: &str) -> bool {
    let rest = ["png", "jpeg", "jpg", "gif", "webp"]
        .iter()
        .find_map(|kind| value.strip_prefix(&format!("data:image/{kind};base64,")));
    rest.is_some_and(|rest| {
        rest.chars().all(|c| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || "+/=".contains(c))
    })
}

/// Whether styles (or a single value) name nothing but parts of this document, and no way to run anything.
fn css_is_harmless(css: &str) -> bool {
    // Escapes would hide every word below.
    if css.contains(['\\', '\0']) {
        return false;
    }
    let css = css.to_ascii_lowercase();
    let loads = [
        "image(",
        "image-set(",
        "src(",
        "cross-fade(",
        "element(",
        "paint(",
        "expression(",
        "script:",
        "behavior",
        "-binding",
        "data:",
        "//",
    ];
    if loads.iter().any(|word| css.contains(word)) {
        return false;
    }
    let own = |(at, _): (usize, &str)| {
        let inside = css[at + 4..].trim_start().trim_start_matches(['"', '\'']).trim_start();
        inside.starts_with('#')
    };
    let rule = |(at, _): (usize, &str)| {
        ["media", "keyframes", "supports"].iter().any(|known| css[at + 1..].starts_with(known))
    };
    css.match_indices("url(").all(own) && css.match_indices('@').all(rule)
}

/// Width and height in pixels, where the document says them.
pub(super) fn size(text: &str) -> Option<(u32, u32)> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let root = loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => break start,
            Event::Eof => return None,
            _ => {}
        }
    };
    let value = |name: &str| root.try_get_attribute(name).ok().flatten().map(|found| found.value.into_owned());
    let pixels =
        |text: &str| text.trim().trim_end_matches("px").parse::<f64>().ok().filter(|px| *px > 0.0 && *px < 1e6);
    let edge = |name: &str| value(name).and_then(|text| pixels(&text));
    let (width, height) = if let (Some(width), Some(height)) = (edge("width"), edge("height")) {
        (width, height)
    } else {
        let all = value("viewBox")?;
        let parts = all.split([' ', ',']).filter(|part| !part.is_empty());
        let parts: Vec<f64> = parts.filter_map(|part| part.parse().ok()).collect();
        let [_, _, width, height] = parts[..] else { return None };
        (width, height)
    };
    let whole = |px: f64| (0.5..1e6).contains(&px).then(|| px.round() as u32);
    Some((whole(width)?, whole(height)?))
}

/// A name for a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests;
