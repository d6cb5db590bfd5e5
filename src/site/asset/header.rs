//! What an image's first bytes tell: its size as it is shown, whether it moves. Nothing is decoded.

/// What is known of an image without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Width in pixels, as it is shown.
    pub(super) width: u32,
    /// Height in pixels, as it is shown.
    pub(super) height: u32,
    /// Whether it has several frames.
    pub(super) moves: bool,
    /// EXIF orientation, 1 to 8; 1: as it is.
    pub(super) orientation: u8,
}

/// Reads a PNG, JPEG, GIF or WebP; `None` for anything else and for a broken one.
pub(super) fn read(bytes: &[u8]) -> Option<Header> {
    let (width, height, moves, orientation) = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes)?,
        [0xff, 0xd8, ..] => jpeg(bytes)?,
        [b'G', b'I', b'F', b'8', ..] => (le16(bytes, 6)?, le16(bytes, 8)?, true, 1),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(bytes)?,
        _ => return None,
    };
    if width == 0 || height == 0 {
        return None;
    }
    let lies = orientation >= 5;
    Some(Header {
        width: if lies { height } else { width },
        height: if lies { width } else { height },
        moves,
        orientation,
    })
}

type Facts = (u32, u32, bool, u8);

fn png(bytes: &[u8]) -> Option<Facts> {
    let size = (be32(bytes, 16)?, be32(bytes, 20)?);
    let (mut moves, mut orientation) = (false, 1);
    for (name, data) in png_chunks(bytes).map_while(Result::ok) {
        match name {
            b"acTL" => moves = true,
            b"eXIf" => orientation = orientation_of(data).unwrap_or(1),
            b"IDAT" => break,
            _ => {}
        }
    }
    Some((size.0, size.1, moves, orientation))
}

/// Name and data of each chunk; an error ends them where the file is broken.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = Result<(&[u8], &[u8]), ()>> {
    let mut at = 8;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let chunk = be32(bytes, at).and_then(|length| {
            let data = at + 8..(at + 8).checked_add(length as usize)?;
            // Four bytes of checksum come after the data.
            let whole = bytes.get(data.clone()).filter(|_| data.end + 4 <= bytes.len())?;
            Some((&bytes[at + 4..at + 8], whole, data.end + 4))
        });
        let Some((name, data, end)) = chunk else {
            at = bytes.len();
            return Some(Err(()));
        };
        at = end;
        Some(Ok((name, data)))
    })
}

fn jpeg(bytes: &[u8]) -> Option<Facts> {
    let mut orientation = 1;
    for (marker, range) in jpeg_segments(bytes) {
        let data = &bytes[range];
        match marker {
            0xe1 => orientation = orientation_of(data).unwrap_or(orientation),
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let height = u32::from(be16(data, 1)?);
                return Some((u32::from(be16(data, 3)?), height, false, orientation));
            }
            _ => {}
        }
    }
    None
}

/// Marker and place of the data of each segment before the picture itself.
pub(super) fn jpeg_segments(bytes: &[u8]) -> impl Iterator<Item = (u8, std::ops::Range<usize>)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        // Any number of fill bytes may stand before a marker.
        while *bytes.get(at)? == 0xff && *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let (start, marker) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        let length = usize::from(be16(bytes, at + 2)?);
        let range = at + 4..at + 2 + length;
        if start != 0xff || marker == 0xda || length < 2 || range.end > bytes.len() {
            return None;
        }
        at = range.end;
        Some((marker, range))
    })
}

/// Whether which way is up stands behind the picture itself, where the first bytes do not tell it.
pub(super) fn ends_with_orientation(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF")
        && bytes.get(12..16) == Some(b"VP8X")
        && bytes.get(20).is_some_and(|flags| flags & 8 != 0)
}

fn webp(bytes: &[u8]) -> Option<Facts> {
    let byte = |at: usize| bytes.get(at).map(|byte| u32::from(*byte));
    match bytes.get(12..16)? {
        b"VP8X" => {
            let three = |at: usize| Some(byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16);
            let exif = webp_chunks(bytes).find(|(name, _)| *name == b"EXIF");
            let orientation = exif.and_then(|(_, data)| orientation_of(data)).unwrap_or(1);
            Some((three(24)? + 1, three(27)? + 1, byte(20)? & 2 != 0, orientation))
        }
        b"VP8 " => Some((le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff, false, 1)),
        b"VP8L" => {
            let bits = byte(21)? | byte(22)? << 8 | byte(23)? << 16 | byte(24)? << 24;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1, false, 1))
        }
        _ => None,
    }
}

/// Name and data of each chunk, up to the first broken one.
pub(super) fn webp_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 12;
    std::iter::from_fn(move || {
        let length = bytes.get(at + 4..at + 8)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (name, data) = (&bytes[at..at + 4], bytes.get(at + 8..(at + 8).checked_add(length)?)?);
        // Chunks begin at even places.
        at += 8 + length + length % 2;
        Some((name, data))
    })
}

/// The orientation in a TIFF structure, with or without the word `Exif` before it.
fn orientation_of(data: &[u8]) -> Option<u8> {
    let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    let little = match data.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let two = |at: usize| if little { le16(data, at) } else { be16(data, at).map(u32::from) };
    let four = |at: usize| {
        let bytes: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) } as usize)
    };
    let first = four(4)?.min(data.len());
    (0..two(first)? as usize)
        .map(|entry| first + 2 + 12 * entry)
        .take_while(|at| at + 12 <= data.len())
        .find(|at| two(*at) == Some(0x0112))
        .and_then(|at| two(at + 8))
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
}

/// A TIFF structure that says the orientation and nothing else.
pub(super) fn only_orientation(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(be16(bytes, at)?) << 16 | u32::from(be16(bytes, at + 2)?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_orientation_is_read_back() {
        for orientation in 1..=8 {
            assert_eq!(orientation_of(&only_orientation(orientation)), Some(orientation));
        }
        assert_eq!(orientation_of(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"), Some(6));
        assert_eq!(orientation_of(b"II*\0\xff\xff\xff\xff"), None);
    }

    #[test]
    fn sizes_are_read_from_the_first_bytes() {
        let gif = b"GIF89a\x40\x01\xf0\0\0\0\0";
        assert_eq!(read(gif).map(|h| (h.width, h.height, h.moves)), Some((320, 240, true)));
        let lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x3f\xc1\x3b\0";
        assert_eq!(read(lossless).map(|h| (h.width, h.height)), Some((320, 240)));
        let turned = [
            &b"\xff\xd8\xff\xe1\0\x22Exif\0\0"[..],
            &only_orientation(6),
            b"\xff\xc0\0\x0b\x08\0\xf0\x01\x40\x01\x01\x11\0",
        ]
        .concat();
        assert_eq!(read(&turned).map(|h| (h.width, h.height, h.orientation)), Some((240, 320, 6)));
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(start in 0..4_usize, rest in proptest::collection::vec(any::<u8>(), 0..200)) {
            let starts: [&[u8]; 4] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X"];
            let _ = read(&[starts[start], &rest].concat());
        }
    }
}
