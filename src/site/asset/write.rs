//! Takes uploads: reads each from where it is, makes sure it is what its name says, cleans it, and stores all in one revision.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::page::{How, Move, stage_moves};
use super::super::{Call, Site, address, lock};
use super::place::{self, Place};
use super::{data, kind, picture, pixels, svg};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::config::{ScriptPolicy, SvgPolicy, UploadsConfig};
use crate::model::{BlobId, ContentPath, Library, PathKind, Progress, Snapshot};
use crate::outside::Guard;
use crate::outside::fetch::{self, Limits};
use crate::store::{Footprint, Repository, Transaction};

/// Uploads in one call.
const MAX_UPLOADS: usize = 50;
/// Bytes of all uploads of one call together.
const MAX_TOTAL: usize = 100 * 1024 * 1024;
/// How much of a call is done, roughly, when all uploads are there.
const READ: f64 = 0.5;

/// Where an upload comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Read from an `http` or `https` address.
    Url(String),
    /// Base64, plain or as a `data:` URL.
    Base64(String),
    /// Text as it is.
    Text(String),
    /// A local file in a folder that a person allowed.
    File(String),
}

/// One upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Where it goes.
    pub path: String,
    /// Where it comes from.
    pub source: Source,
    /// Text for those who do not see it.
    pub alt: Option<String>,
    /// Etag of what it replaces.
    pub if_match: Option<String>,
}

/// An upload as it was stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its file.
    pub path: ContentPath,
    /// URL path, where it is part of the output.
    pub url: Option<String>,
    /// Size in bytes.
    pub bytes: usize,
    /// Media type.
    pub mime: &'static str,
    /// Width and height in pixels, as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// Blob id.
    pub etag: BlobId,
    /// A line for the page it lies beside, or for any page where it is below `static/`.
    pub markdown: Option<String>,
    /// What was done to it.
    pub note: Option<String>,
}

/// What an upload did, or would do.
#[derive(Debug, Clone)]
pub struct AssetsWritten {
    /// What every edit answers.
    pub written: Written,
    /// Each upload, in the order they were given.
    pub stored: Vec<Stored>,
}

/// An upload that may be stored.
struct Ready {
    place: Place,
    named: String,
    bytes: Vec<u8>,
    note: String,
    if_match: Option<IfMatch>,
}

/// Stores uploads, all or nothing.
///
/// # Errors
/// `InvalidPath`, `InvalidArguments`, `RefusedFile`, `TooLarge`, `FetchRefused`, `FetchFailed`, `Conflict` for a stale etag.
pub fn write(site: &Site, call: &Call, uploads: &[Upload]) -> Result<AssetsWritten> {
    if uploads.len() > MAX_UPLOADS {
        return Err(Error::TooLarge { what: "uploads (items)".into(), size: uploads.len(), limit: MAX_UPLOADS });
    }
    let (_, built) = site.working_followed(&call.progress.part(0.0, 0.1))?;
    let ready = make_ready(site, &built.library, uploads, &call.progress.part(0.1, READ))?;
    let mut call = Call { progress: call.progress.part(READ, 1.0), ..call.clone() };
    let is = |kind: fn(&Source) -> bool| uploads.iter().any(|upload| kind(&upload.source));
    if is(|source| matches!(source, Source::Url(_))) {
        // What the network gives may be another the next time: no receipt answers for it.
        call.arguments.clear();
    } else if is(|source| matches!(source, Source::File(_))) {
        // A file on this machine costs little to read again: a receipt answers as long as it is the same.
        call.read = ready.iter().map(|ready| Repository::blob_id(&ready.bytes).to_string()).collect();
    }
    let stored: Vec<Stored> =
        ready.iter().zip(uploads).map(|(ready, upload)| stored(&built.library, ready, upload.alt.as_deref())).collect();
    let live = etag::undecided(site)?;
    let mut written = edit::run(site, &call, &footprint(&ready), |transaction, before| {
        stage(site, transaction, before, live.as_deref(), &ready)
    })?;
    for url in stored.iter().rev().filter_map(|stored| stored.url.clone()) {
        if !written.unchanged() && !written.affected.contains(&url) {
            written.affected.insert(0, url);
        }
    }
    Ok(AssetsWritten { written, stored })
}

/// Just the named files; where a page becomes a bundle, pages that link to it too.
fn footprint(ready: &[Ready]) -> Footprint {
    let mut kinds: BTreeSet<PathKind> = ready.iter().map(|ready| ready.place.path.kind()).collect();
    let moves = ready.iter().any(|ready| ready.place.bundle.is_some());
    if moves {
        kinds.insert(PathKind::Page);
    }
    let paths = (!moves).then(|| ready.iter().map(|ready| ready.place.path.clone()).collect());
    Footprint { kinds: kinds.into_iter().collect(), paths }
}

fn make_ready(site: &Site, library: &Library, uploads: &[Upload], progress: &Progress) -> Result<Vec<Ready>> {
    let policy = &library.config.uploads;
    let mut places = Vec::new();
    // Everything that can be told without reading a byte comes first.
    for upload in uploads {
        let place = place::target(library, &upload.path)?;
        if places.iter().any(|(known, _): &(Place, _)| known.path == place.path) {
            return Err(Error::InvalidArguments {
                field: "uploads".into(),
                problem: format!("two uploads go to {}", place.path),
                example: "give each upload its own path".into(),
            });
        }
        places.push((place, upload.if_match.as_deref().map(IfMatch::parse).transpose()?));
    }
    let mut left = MAX_TOTAL;
    let mut ready = Vec::new();
    for (at, (upload, (place, if_match))) in uploads.iter().zip(places).enumerate() {
        progress.step(at as f64 / uploads.len() as f64, "Reading uploads")?;
        let bytes = load(site, library, &upload.source, policy.max_bytes.min(left), progress)?;
        left = left.saturating_sub(bytes.len());
        let (bytes, note) = fit(site, policy, &place.path, bytes)?;
        ready.push(Ready { place, named: upload.path.clone(), bytes, note, if_match });
    }
    Ok(ready)
}

fn load(site: &Site, library: &Library, source: &Source, limit: usize, progress: &Progress) -> Result<Vec<u8>> {
    let config = &library.config;
    let bytes = match source {
        Source::Url(url) => {
            let whole = Duration::from_secs(config.fetch.seconds as u64);
            let limits = Limits { max_bytes: limit, whole, types: &[] };
            fetch::get(&Guard::new(&config.fetch), url, &limits, progress)?.bytes
        }
        Source::Base64(text) => decode(text)?,
        Source::Text(text) => text.clone().into_bytes(),
        Source::File(file) => {
            let mut folders: Vec<PathBuf> = lock(&site.shared.upload_folders).clone();
            folders.extend(config.uploads.folders.iter().map(PathBuf::from));
            site.repository().read_upload(&folders, file, limit)?
        }
    };
    if bytes.len() > limit {
        return Err(Error::TooLarge { what: "an upload".into(), size: bytes.len(), limit });
    }
    Ok(bytes)
}

/// Reads base64 in either alphabet, with or without padding, over several lines or as a `data:` URL.
fn decode(text: &str) -> Result<Vec<u8>> {
    let text = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map_or(rest, |(_, data)| data),
        None => text,
    };
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let alphabet = if plain.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(plain).map_err(|_| Error::InvalidArguments {
        field: "uploads[].base64".into(),
        problem: "expected base64".into(),
        example: "\"base64\": \"iVBORw0KGgo=\"".into(),
    })
}

/// Makes sure that an upload is what its name says and harmless, and fits it for a page.
fn fit(site: &Site, policy: &UploadsConfig, path: &ContentPath, bytes: Vec<u8>) -> Result<(Vec<u8>, String)> {
    let name = path.file_name();
    let refused = |problem: String| Error::RefusedFile { path: path.to_string(), problem };
    if path.kind() == PathKind::Data {
        data::check(path, &bytes)?;
        return Ok((bytes, String::new()));
    }
    if let Some(problem) = kind::mismatch(name, &bytes) {
        return Err(refused(problem));
    }
    if kind::runs(name) {
        match policy.scripts {
            ScriptPolicy::Trusted => {}
            ScriptPolicy::Static if path.kind() == PathKind::Static => {}
            ScriptPolicy::Static => return Err(refused("HTML and scripts go below static/ only".into())),
            ScriptPolicy::Refuse => return Err(refused("this site takes no HTML and scripts".into())),
        }
    }
    if kind::ending(name) == "svg" {
        return match policy.svg {
            SvgPolicy::Trusted => Ok((bytes, String::new())),
            SvgPolicy::Refuse => Err(refused("this site takes no SVG".into())),
            SvgPolicy::Sanitize => {
                let clean = svg::sanitize(&bytes).map_err(refused)?;
                let removed: Vec<&str> = clean.removed.iter().take(8).map(String::as_str).collect();
                let note =
                    if removed.is_empty() { String::new() } else { format!("taken out: {}", removed.join(", ")) };
                Ok((clean.text.into_bytes(), note))
            }
        };
    }
    let _one_at_a_time = lock(&site.shared.decoding);
    let fitted = picture::fit(bytes, policy.max_px).map_err(refused)?;
    Ok((fitted.bytes, fitted.note))
}

fn stage(
    site: &Site,
    transaction: &mut Transaction<'_>,
    before: &Built,
    live: Option<&Snapshot>,
    ready: &[Ready],
) -> Result<Staged> {
    let mut moves: Vec<(ContentPath, ContentPath)> = Vec::new();
    for one in ready {
        if place::target(&before.library, &one.named)? != one.place {
            return Err(Error::Busy { holder: format!("the page beside {} changed meanwhile", one.place.path) });
        }
        moves.extend(one.place.bundle.clone().filter(|pair| !moves.contains(pair)));
    }
    let mut staged = Staged::new(match ready {
        [one] => format!("Upload {}", one.place.path),
        many => format!("Upload {} assets", many.len()),
    });
    if !moves.is_empty() {
        let to_bundle = |(from, to): &(ContentPath, ContentPath)| Move {
            from: from.to_string(),
            to: to.to_string(),
            if_match: None,
        };
        let all: Vec<Move> = moves.iter().map(to_bundle).collect();
        let moved = stage_moves(site, transaction, before, None, &all, How { redirect: true, menus: false })?;
        staged.trailers = moved.trailers;
        staged.notes.extend(moves.iter().map(|(from, to)| {
            format!(
                "{} is {} now, so that assets can lie beside it; its address stays",
                address::shown(from),
                address::shown(to)
            )
        }));
        staged.notes.extend(moved.notes);
    }
    for one in ready {
        let path = &one.place.path;
        let current = transaction.base().get(path).map(|file| file.id);
        if current == Some(Repository::blob_id(&one.bytes)) {
            continue;
        }
        match &one.if_match {
            None if current.is_some() => return Err(IfMatch::missing(path, &one.named, current, "replacing")),
            Some(if_match) if !if_match.stands(site, path, current, live, &mut staged)? => {
                return Err(if_match.stale(path, current, String::new()));
            }
            _ => transaction.stage(path.clone(), Some(one.bytes.clone()))?,
        }
    }
    Ok(staged)
}

fn stored(library: &Library, ready: &Ready, alt: Option<&str>) -> Stored {
    let path = &ready.place.path;
    let owner = place::owner(library, &ready.place);
    let url = place::url(owner.as_ref(), path);
    let file = kind::of_name(path.file_name());
    let target = match (path.kind(), &owner) {
        (PathKind::ContentAsset, Some(owner)) => {
            path.as_str().strip_prefix(owner.path.folder()).map(|rest| rest[1..].to_owned())
        }
        (PathKind::Theme, _) => None,
        _ => url.clone(),
    };
    let markdown = target.map(|target| markdown(&target, alt, file.kind == kind::AssetKind::Image));
    let mut note = ready.note.clone();
    if file.kind == kind::AssetKind::Image
        && !matches!(path.kind(), PathKind::Data | PathKind::Theme)
        && alt.is_none_or(|alt| alt.trim().is_empty())
    {
        note = [note.as_str(), "say what it shows between the brackets"]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("; ");
    }
    Stored {
        path: path.clone(),
        url,
        bytes: ready.bytes.len(),
        mime: file.mime,
        pixels: pixels(path.file_name(), &ready.bytes),
        etag: Repository::blob_id(&ready.bytes),
        markdown,
        note: Some(note).filter(|note| !note.is_empty()),
    }
}

/// An image or a link, for a page's body.
fn markdown(target: &str, alt: Option<&str>, image: bool) -> String {
    let name = target.rsplit('/').next().unwrap_or(target);
    let alt = alt.map(str::trim).filter(|alt| !alt.is_empty()).unwrap_or(if image { "" } else { name });
    let mut text = String::with_capacity(alt.len());
    for c in alt.chars() {
        if matches!(c, '[' | ']' | '\\' | '*' | '_' | '`' | '<' | '{') {
            text.push('\\');
        }
        text.push(if c.is_control() { ' ' } else { c });
    }
    let plain = target.chars().all(|c| c.is_alphanumeric() || "/._-~@+,".contains(c));
    let target = if plain { target.to_owned() } else { format!("<{}>", target.replace(['<', '>'], "")) };
    format!("{}[{text}]({target})", if image { "!" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_all_its_forms() {
        for text in ["AP/+", "AP_-", " AP/\n+ ", "data:image/png;base64,AP/+"] {
            assert_eq!(decode(text).unwrap(), [0, 0xff, 0xfe], "{text}");
        }
        assert_eq!(decode("aGk").unwrap(), decode("aGk=").unwrap());
        assert!(decode("not base64!").is_err());
    }

    #[test]
    fn the_line_for_a_page_is_plain_markdown() {
        assert_eq!(markdown("photo.jpg", Some("A [red] *door*"), true), "![A \\[red\\] \\*door\\*](photo.jpg)");
        assert_eq!(markdown("my photo (1).jpg", Some(""), true), "![](<my photo (1).jpg>)");
        assert_eq!(markdown("/files/a.pdf", None, false), "[a.pdf](/files/a.pdf)");
    }
}
