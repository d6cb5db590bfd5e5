//! What a file is: by its name, and by its first bytes. Both have to agree before it is stored.

use crate::model::media_type;

/// Coarse kinds of asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssetKind {
    /// Pictures of any form.
    Image,
    /// Films.
    Video,
    /// Sound.
    Audio,
    /// Fonts.
    Font,
    /// What people read or take apart: PDF, text, archives.
    Document,
    /// HTML, scripts, styles.
    Code,
    /// Everything else.
    Other,
}

/// How a file's content is known to be what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// [`sniff`] has to answer one of these.
    Magic(&'static [&'static str]),
    /// UTF-8 without control characters.
    Text,
    /// Nothing is known of it; it must not be something else that is.
    None,
}

/// A type of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileType {
    /// Media type.
    pub(super) mime: &'static str,
    /// What it is for.
    pub(super) kind: AssetKind,
    proof: Proof,
}

/// Endings, kind and proof.
const TYPES: [(&[&str], AssetKind, Proof); 39] = {
    use AssetKind::{Audio, Code, Document, Font, Image, Other, Video};
    use Proof::{Magic, Text};
    [
        (&["png", "apng"], Image, Magic(&["image/png"])),
        (&["jpg", "jpeg"], Image, Magic(&["image/jpeg"])),
        (&["gif"], Image, Magic(&["image/gif"])),
        (&["webp"], Image, Magic(&["image/webp"])),
        (&["avif"], Image, Magic(&["image/avif"])),
        (&["ico"], Image, Magic(&["image/vnd.microsoft.icon", "image/png"])),
        (&["svg"], Image, Text),
        (&["mp4", "m4v", "mov"], Video, Magic(&["video/mp4"])),
        (&["webm"], Video, Magic(&["video/webm"])),
        (&["mp3"], Audio, Magic(&["audio/mpeg"])),
        (&["m4a"], Audio, Magic(&["video/mp4"])),
        (&["ogg", "oga", "opus"], Audio, Magic(&["audio/ogg"])),
        (&["flac"], Audio, Magic(&["audio/flac"])),
        (&["wav"], Audio, Magic(&["audio/wav"])),
        (&["woff2"], Font, Magic(&["font/woff2"])),
        (&["woff"], Font, Magic(&["font/woff"])),
        (&["ttf"], Font, Magic(&["font/ttf", "font/otf"])),
        (&["otf"], Font, Magic(&["font/otf", "font/ttf"])),
        (&["pdf"], Document, Magic(&["application/pdf"])),
        (&["zip"], Document, Magic(&["application/zip"])),
        (&["docx", "xlsx", "pptx", "odt", "ods", "odp", "epub"], Document, Magic(&["application/zip"])),
        (&["gz", "tgz"], Document, Magic(&["application/gzip"])),
        (&["txt", "text", "log"], Document, Text),
        (&["md", "markdown"], Document, Text),
        (&["csv"], Document, Text),
        (&["ics"], Document, Text),
        (&["vtt", "srt"], Document, Text),
        (&["json", "geojson", "map"], Other, Text),
        (&["webmanifest"], Other, Text),
        (&["yaml", "yml"], Other, Text),
        (&["toml"], Other, Text),
        (&["gpx", "kml"], Other, Text),
        (&["css"], Code, Text),
        (&["html", "htm"], Code, Text),
        (&["xhtml", "xht"], Code, Text),
        (&["xml", "xsl", "xslt", "rss", "atom"], Code, Text),
        (&["js", "mjs", "cjs"], Code, Text),
        (&["wasm"], Code, Magic(&["application/wasm"])),
        (&["swf"], Code, Proof::None),
    ]
};

/// Endings of programs: never stored, and nothing a site needs.
const PROGRAMS: [&str; 26] = [
    "app", "apk", "asp", "aspx", "bat", "bin", "cgi", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "jar", "jsp",
    "lnk", "msi", "phar", "php", "phtml", "ps1", "reg", "scr", "vbs", "wsf",
];

/// What the first bytes of a program say.
const PROGRAM: &str = "application/x-executable";

/// The ending of a name in lower case, without the dot; empty where there is none.
pub(super) fn ending(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase())
}

/// What a file is by its name.
pub(super) fn of_name(name: &str) -> FileType {
    let ending = ending(name);
    let found = TYPES.iter().find(|(endings, ..)| endings.contains(&ending.as_str()));
    let (kind, proof) = found.map_or((AssetKind::Other, Proof::None), |(_, kind, proof)| (*kind, *proof));
    FileType { mime: media_type::of(name).unwrap_or("application/octet-stream"), kind, proof }
}

/// Whether a browser runs what is in such a file with the rights of the site.
pub(super) fn runs(name: &str) -> bool {
    let styles = ending(name) == "css";
    of_name(name).kind == AssetKind::Code && !styles
}

/// What is wrong with storing these bytes under this name; `None`: nothing.
pub(super) fn mismatch(name: &str, bytes: &[u8]) -> Option<String> {
    let ending = ending(name);
    let found = sniff(bytes);
    if PROGRAMS.contains(&ending.as_str()) || found == Some(PROGRAM) {
        return Some("it is a program".into());
    }
    if bytes.is_empty() {
        return Some("it is empty".into());
    }
    let looks_like = |found: Option<&str>| match found {
        Some(found) => format!("its content is {found}"),
        None if is_text(bytes) => "its content is text".into(),
        None => "its content is of no known kind".into(),
    };
    match of_name(name).proof {
        Proof::Magic(wanted) if !found.is_some_and(|found| wanted.contains(&found)) => {
            Some(format!("it is named .{ending}, but {}", looks_like(found)))
        }
        Proof::Text if !is_text(bytes) => Some(format!("it is named .{ending}, but {}", looks_like(found))),
        // HTML under the name of something harmless is how scripts are smuggled in.
        Proof::Text | Proof::None
            if found == Some("text/html") && !runs(name) && !matches!(ending.as_str(), "svg" | "md" | "markdown") =>
        {
            Some("its content is a web page".into())
        }
        _ => None,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(control)
}

/// The media type that the first bytes prove.
pub(super) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: [(&[u8], &str); 23] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"\0\0\x01\0", "image/vnd.microsoft.icon"),
        (b"%PDF-", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"PK\x05\x06", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
        (b"wOFF", "font/woff"),
        (b"wOF2", "font/woff2"),
        (b"OTTO", "font/otf"),
        (b"\0\x01\0\0", "font/ttf"),
        (b"true", "font/ttf"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"\0asm", "application/wasm"),
        (b"MZ", PROGRAM),
        (b"\x7fELF", PROGRAM),
        (b"\xcf\xfa\xed\xfe", PROGRAM),
        (b"\xca\xfe\xba\xbe", PROGRAM),
    ];
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => return Some("image/webp"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => return Some("audio/wav"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => return Some("image/avif"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => return Some("video/mp4"),
        [0xff, second, ..] if second & 0xe6 == 0xe2 => return Some("audio/mpeg"),
        _ => {}
    }
    let known = STARTS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, mime)| *mime);
    // Text that happens to begin with these letters is no program and no font.
    known
        .filter(|mime| !is_text(bytes) || !matches!(*mime, PROGRAM | "font/ttf" | "font/otf" | "audio/mpeg"))
        .or_else(|| markup(bytes))
}

/// Whether text is a web page, as browsers guess it.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1024)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let page =
        ["<!doctype html", "<html", "<head", "<body", "<script", "<iframe", "<h1", "<table", "<style", "<br", "<p>"];
    page.iter().any(|start| text.starts_with(start)).then_some("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_content_have_to_agree() {
        for (name, bytes) in [
            ("a.png", &b"\x89PNG\r\n\x1a\nx"[..]),
            ("A.JPG", b"\xff\xd8\xff\xe0"),
            ("a.webp", b"RIFF1234WEBPVP8 "),
            ("a.pdf", b"%PDF-1.7"),
            ("a.csv", b"MZ,b\n1,2\n"),
            ("a.txt", "Grüße\n".as_bytes()),
            ("a.md", b"<h1>Title</h1>"),
            ("a.stl", b"solid x"),
            ("CNAME", b"example.org\n"),
            ("a.mp3", b"\xff\xfb\x90\x00"),
        ] {
            assert_eq!(mismatch(name, bytes), None, "{name}");
        }
        for (name, bytes) in [
            ("a.png", &b"\xff\xd8\xff\xe0"[..]),
            ("a.png", b"<html>"),
            ("a.jpg", b"GIF89a"),
            ("a.txt", b"<!DOCTYPE html><script>"),
            ("a.dat", b"  <script>alert(1)</script>"),
            ("a.txt", b"\x00\x01"),
            ("a.json", b"\xff\xfe"),
            ("a.exe", b"MZ\x90\0"),
            ("a.dat", b"MZ\x90\0"),
            ("a.png", b"\x7fELF\x02"),
            ("a.php", b"<?php"),
            ("a.png", b""),
            ("a.txt", b""),
        ] {
            assert!(mismatch(name, bytes).is_some(), "{name} {bytes:?}");
        }
    }

    /// What is stored is served as what it is.
    #[test]
    fn every_known_ending_has_a_media_type() {
        for ending in TYPES.iter().flat_map(|(endings, ..)| *endings) {
            assert!(media_type::of(&format!("a.{ending}")).is_some(), "{ending}");
        }
        assert_eq!(of_name("a.stl").mime, "application/octet-stream");
    }

    #[test]
    fn what_browsers_run_is_known() {
        for name in ["a.html", "a.JS", "a.mjs", "a.xhtml", "a.xml", "a.wasm"] {
            assert!(runs(name), "{name}");
        }
        for name in ["a.css", "a.png", "a.svg", "a", "a.txt"] {
            assert!(!runs(name), "{name}");
        }
    }
}
