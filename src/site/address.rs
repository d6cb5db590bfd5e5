//! Names that callers give to pages: URL path or content path, with near matches for what does not exist.

use crate::error::{Error, Result};
use crate::model::{ContentPath, Library, Page, PathKind};

/// How a path is shown to callers: pages without their `content/`, everything else from the site's root.
#[must_use]
pub fn shown(path: &ContentPath) -> &str {
    match path.kind() {
        PathKind::Page => path.as_str().strip_prefix("content/").unwrap_or(path.as_str()),
        _ => path.as_str(),
    }
}

/// The index of an existing page (or section, or home page with a file) named by URL path, absolute URL or content path.
///
/// # Errors
/// `NotFound` with up to three near matches; `InvalidPath` for paths that may not be named at all.
pub fn page(library: &Library, name: &str) -> Result<usize> {
    let name = name.trim();
    for url in urls(library, name) {
        if let Some(&index) = library.by_url.get(&url) {
            return Ok(index);
        }
    }
    if let Some(candidates) = content_candidates(name) {
        for candidate in &candidates {
            if let Some(&index) = library.by_path.get(candidate.as_str()) {
                return Ok(index);
            }
        }
        // A path that may not be named at all says so, rather than "not found".
        if let Some(first) = candidates.first() {
            ContentPath::parse(first)?;
        }
    }
    Err(not_found(library, name))
}

/// The same for who reads: a page can be named by its title too, where no other page has it.
///
/// # Errors
/// Those of [`page`]; where several pages have the title, they are the near matches.
pub fn page_or_title(library: &Library, name: &str) -> Result<usize> {
    let error = match page(library, name) {
        Ok(index) => return Ok(index),
        Err(error) => error,
    };
    let wanted = name.trim().to_lowercase();
    let titled: Vec<usize> =
        (0..library.pages.len()).filter(|&index| library.pages[index].title.trim().to_lowercase() == wanted).collect();
    match titled.as_slice() {
        [] => Err(error),
        [one] => Ok(*one),
        many => {
            let near = many.iter().take(3).map(|&index| shown(&library.pages[index].path).to_owned()).collect();
            Err(Error::NotFound { kind: "single page of that title", name: name.to_owned(), near })
        }
    }
}

/// The `NotFound` error for a page name, with near matches.
#[must_use]
pub fn not_found(library: &Library, name: &str) -> Error {
    Error::NotFound { kind: "page", name: name.to_owned(), near: near_pages(library, name) }
}

/// The content path under which a new page is to be created.
///
/// # Errors
/// `InvalidArguments` where it is a URL path or no Markdown file; `InvalidPath`.
pub fn new_page(name: &str) -> Result<ContentPath> {
    let name = name.trim();
    let relative = name.strip_prefix("content/").or_else(|| name.strip_prefix("@/")).unwrap_or(name);
    if !relative.to_ascii_lowercase().ends_with(".md") {
        return Err(Error::InvalidArguments {
            field: "path".into(),
            problem: format!("got `{name}`, but a new page needs a content path that ends in .md"),
            example: "{\"path\": \"blog/hello.md\", \"create\": true}".into(),
        });
    }
    ContentPath::parse(&format!("content/{relative}"))
}

/// A file named from the site's root, or a page in any of its forms (existing pages only for URL forms).
pub fn file(library: &Library, name: &str) -> Result<ContentPath> {
    let name = name.trim();
    let rooted = ["content/", "static/", "data/", "themes/"].iter().any(|root| name.starts_with(root));
    if rooted || name == "site.yaml" {
        return ContentPath::from_disk(name);
    }
    match page(library, name) {
        Ok(index) => Ok(library.pages[index].path.clone()),
        // A deleted page is still named in the change list.
        Err(error) => match content_candidates(name).and_then(|mut candidates| candidates.drain(..).next()) {
            Some(first) if !name.starts_with('/') && first.ends_with(".md") => ContentPath::parse(&first),
            _ => Err(error),
        },
    }
}

/// The spellings a URL name can stand for, most literal first; empty where it is no URL.
fn urls(library: &Library, name: &str) -> Vec<String> {
    let base = library.config.base_url.as_str();
    let (path, absolute) = match name.strip_prefix(base) {
        Some(rest) if name.contains("://") => (format!("/{rest}"), true),
        _ => (name.to_owned(), false),
    };
    if !path.starts_with('/') {
        return Vec::new();
    }
    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let base_path = library.config.base_path();
    let mut forms = vec![path.clone()];
    if !absolute
        && base_path != "/"
        && let Some(rest) = path.strip_prefix(base_path)
    {
        forms.push(format!("/{rest}"));
    }
    let mut all = Vec::new();
    for form in forms {
        for form in [percent_decode(&form), form] {
            let form = form.strip_suffix("index.html").map_or(form.clone(), str::to_owned);
            let slashed = if form.ends_with('/') { form.clone() } else { format!("{form}/") };
            for url in [form, slashed] {
                if !all.contains(&url) {
                    all.push(url);
                }
            }
        }
    }
    all
}

/// The content paths a name can stand for, most literal first; `None` for URLs of other kinds.
fn content_candidates(name: &str) -> Option<Vec<String>> {
    if name.contains("://") {
        return None;
    }
    let relative = name.strip_prefix("@/").or_else(|| name.strip_prefix("content/")).unwrap_or(name);
    let relative = relative.trim_start_matches('/').trim_end_matches('/');
    if relative.is_empty() {
        return Some(vec!["content/_index.md".to_owned()]);
    }
    let literal = format!("content/{relative}");
    if relative.ends_with(".md") || relative.ends_with(".markdown") {
        return Some(vec![literal]);
    }
    Some(vec![format!("{literal}.md"), format!("{literal}/index.md"), format!("{literal}/_index.md")])
}

/// Decodes `%xx`; what does not decode to UTF-8 stays as it is.
pub(in crate::site) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: u8| (b as char).to_digit(16);
        match (first, tail) {
            (b'%', [high, low, ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push((hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0)) as u8);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Up to three pages whose URL, path or title is nearest, shown in the form the caller used.
fn near_pages(library: &Library, name: &str) -> Vec<String> {
    let as_url = name.starts_with('/');
    let wanted = name.trim_matches('/').to_lowercase();
    let last = wanted.rsplit('/').next().unwrap_or(&wanted).trim_end_matches(".md").to_owned();
    let mut scored: Vec<(u32, &Page)> = library
        .pages
        .iter()
        .map(|page| &**page)
        .filter(|page| page.exists)
        .filter_map(|page| {
            let score = nearness(&wanted, &last, page);
            (score >= 550).then_some((score, page))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.path.cmp(&b.1.path)));
    scored
        .into_iter()
        .take(3)
        .map(|(_, page)| if as_url { page.url.clone() } else { shown(&page.path).to_owned() })
        .collect()
}

/// Likeness of a wanted name and a page, in thousandths.
fn nearness(wanted: &str, last: &str, page: &Page) -> u32 {
    // An old address of a page is no near miss: it is that page.
    if page.aliases.iter().any(|alias| alias.trim_matches('/').to_lowercase() == wanted) {
        return u32::MAX;
    }
    let url = page.url.trim_matches('/').to_lowercase();
    let path = shown(&page.path).to_lowercase();
    let stem = url.rsplit('/').next().unwrap_or(&url);
    // Length bounds the likeness: most pages are ruled out without comparing a character.
    let ratio = |a: &str, b: &str| {
        let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
        if long == 0 || short * 2 < long {
            return 0;
        }
        (similar::TextDiff::from_chars(a, b).ratio() * 1000.0) as u32
    };
    ratio(wanted, &url).max(ratio(wanted, &path)).max(ratio(last, stem).saturating_sub(50))
}
