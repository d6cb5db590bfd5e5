//! Makes an image fit for a page: turned upright, no larger than needed, and without what a camera wrote into it.

use std::io::Cursor;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{PixelType, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};

use super::header::{self, Header, jpeg_segments, only_orientation, png_chunks, webp_chunks};

/// Pixels an image may have at most: it takes four bytes of memory for each, here and with every visitor.
const MAX_PIXELS: u64 = 50_000_000;
/// Bytes a decoder may take besides the picture itself.
const MAX_DECODER: u64 = 256 * 1024 * 1024;
/// Quality of a JPEG that is written anew.
const QUALITY: u8 = 85;

/// An image as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fitted {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// What was done to it; empty: nothing that shows.
    pub(super) note: String,
    /// Whether it has fewer pixels than before.
    pub(super) smaller: bool,
}

/// Fits an image; other files come back as they are. `max_px` is the longest edge in pixels, 0: any.
///
/// # Errors
/// A sentence that says why it is not taken.
pub(super) fn fit(bytes: Vec<u8>, max_px: usize) -> Result<Fitted, String> {
    let format = match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => Some(format),
        _ => None,
    };
    let Some(head) = header::read(&bytes) else {
        return match format {
            Some(_) => Err("the image is broken: its size cannot be read".into()),
            None => Ok(Fitted { bytes, note: String::new(), smaller: false }),
        };
    };
    let pixels = u64::from(head.width) * u64::from(head.height);
    if pixels > MAX_PIXELS {
        return Err(format!(
            "it has {}x{} pixels, more than {} million",
            head.width,
            head.height,
            MAX_PIXELS / 1_000_000
        ));
    }
    let longest = head.width.max(head.height) as usize;
    let plain = without_metadata(&bytes, format, head).unwrap_or(bytes);
    let (Some(format), true, false) = (format, max_px > 0 && longest > max_px, head.moves) else {
        return Ok(Fitted { bytes: plain, note: String::new(), smaller: false });
    };
    let small = smaller(&plain, format, head, max_px)?;
    // A drawing in few colours can be smaller at its full size.
    if small.bytes.len() >= plain.len() {
        let note = format!(
            "larger than {max_px} px, but no smaller file at that size: kept at {}x{}",
            head.width, head.height
        );
        return Ok(Fitted { bytes: plain, note, smaller: false });
    }
    Ok(small)
}

fn smaller(bytes: &[u8], format: ImageFormat, head: Header, max_px: usize) -> Result<Fitted, String> {
    let broken = |_| "the image is broken, or of a kind that cannot be made smaller here".to_owned();
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let (alpha, grey) = (picture.color().has_alpha(), !picture.color().has_color());
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width(), picture.height());
    let pixels = picture.into_rgba8();
    let longest = width.max(height);
    let scaled = |edge: u32| ((u64::from(edge) * max_px as u64 / u64::from(longest)) as u32).max(1);
    let (to_width, to_height) = (scaled(width), scaled(height));
    let source = ImageRef::new(width, height, pixels.as_raw(), PixelType::U8x4).map_err(|error| error.to_string())?;
    let mut target = Image::new(to_width, to_height, PixelType::U8x4);
    Resizer::new().resize(&source, &mut target, None).map_err(|error| error.to_string())?;
    let resized =
        image::RgbaImage::from_raw(to_width, to_height, target.into_vec()).ok_or("the image has no pixels")?;
    let resized = DynamicImage::ImageRgba8(resized);
    let resized = match (grey, alpha && format != ImageFormat::Jpeg) {
        (_, true) => resized,
        (true, false) => DynamicImage::ImageLuma8(resized.into_luma8()),
        (false, false) => DynamicImage::ImageRgb8(resized.into_rgb8()),
    };
    let bytes = encode(&resized, format, profile).map_err(broken)?;
    Ok(Fitted { bytes, note: format!("made smaller from {}x{}", head.width, head.height), smaller: true })
}

fn encode(picture: &DynamicImage, format: ImageFormat, profile: Option<Vec<u8>>) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let (data, width, height, color) = (picture.as_bytes(), picture.width(), picture.height(), picture.color().into());
    // A format without profiles shows the colours as sRGB.
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
            let _ = encoder.set_icc_profile(profile.unwrap_or_default());
            encoder.write_image(data, width, height, color)?;
        }
        ImageFormat::Png => {
            let mut encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
            if let Some(profile) = profile {
                let _ = encoder.set_icc_profile(profile);
            }
            encoder.write_image(data, width, height, color)?;
        }
        _ => {
            let mut encoder = WebPEncoder::new_lossless(&mut bytes);
            if let Some(profile) = profile {
                let _ = encoder.set_icc_profile(profile);
            }
            encoder.write_image(data, width, height, color)?;
        }
    }
    Ok(bytes)
}

/// The same picture without place, time, camera and comments; which way is up stays. `None`: nothing to take out, or broken.
fn without_metadata(bytes: &[u8], format: Option<ImageFormat>, head: Header) -> Option<Vec<u8>> {
    match format? {
        ImageFormat::Jpeg => plain_jpeg(bytes, head.orientation),
        ImageFormat::Png => plain_png(bytes, head.orientation),
        _ => plain_webp(bytes, head.orientation),
    }
}

fn plain_jpeg(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut plain = bytes.get(..2)?.to_vec();
    if orientation != 1 {
        let tiff = only_orientation(orientation);
        plain.extend([0xff, 0xe1, 0, (tiff.len() + 8) as u8]);
        plain.extend(b"Exif\0\0");
        plain.extend(tiff);
    }
    let mut end = 2;
    let mut personal = false;
    for (marker, data) in jpeg_segments(bytes) {
        end = data.end;
        // Exif and XMP, Photoshop's notes, comments.
        if matches!(marker, 0xe1 | 0xed | 0xfe) {
            personal = true;
        } else {
            plain.extend(&bytes[data.start - 4..data.end]);
        }
    }
    plain.extend(bytes.get(end..)?);
    personal.then_some(plain)
}

fn plain_png(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut plain = bytes.get(..8)?.to_vec();
    let (mut at, mut personal) = (8, false);
    for chunk in png_chunks(bytes) {
        let (name, data) = chunk.ok()?;
        let whole = at..at + data.len() + 12;
        at = whole.end;
        match name {
            // One that says nothing but which way is up stays.
            b"eXIf" if orientation != 1 && data.len() <= only_orientation(1).len() => plain.extend(&bytes[whole]),
            b"eXIf" if orientation != 1 => {
                personal = true;
                let tiff = only_orientation(orientation);
                plain.extend((tiff.len() as u32).to_be_bytes());
                let from = plain.len();
                plain.extend(b"eXIf");
                plain.extend(tiff);
                let sum = checksum(&plain[from..]);
                plain.extend(sum.to_be_bytes());
            }
            b"eXIf" | b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" => personal = true,
            _ => plain.extend(&bytes[whole]),
        }
    }
    personal.then_some(plain)
}

fn plain_webp(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let personal = |name: &[u8]| matches!(name, b"EXIF" | b"XMP ");
    if !webp_chunks(bytes).any(|(name, _)| personal(name)) {
        return None;
    }
    let mut plain = bytes.get(..12)?.to_vec();
    let mut add = |name: &[u8], data: &[u8]| {
        plain.extend(name);
        plain.extend((data.len() as u32).to_le_bytes());
        plain.extend(data);
        plain.extend(vec![0; data.len() % 2]);
    };
    let turned = orientation != 1;
    for (name, data) in webp_chunks(bytes).filter(|(name, _)| !personal(name)) {
        let mut data = data.to_vec();
        if let (b"VP8X", Some(flags)) = (name, data.first_mut()) {
            *flags = *flags & !0x0c | if turned { 0x08 } else { 0 };
        }
        add(name, &data);
    }
    if turned {
        add(b"EXIF", &only_orientation(orientation));
    }
    let size = u32::try_from(plain.len() - 8).ok()?;
    plain[4..8].copy_from_slice(&size.to_le_bytes());
    Some(plain)
}

/// The checksum of a PNG chunk (CRC-32), of a few bytes only.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of a given size in which no two areas are alike, so that it does not pack too well.
    fn picture(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 7 + y * 3) as u8, (x * y) as u8, (x ^ y) as u8])
        }))
    }

    fn size(bytes: &[u8]) -> (u32, u32) {
        header::read(bytes).map(|head| (head.width, head.height)).unwrap()
    }

    fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let exif = [&b"Exif\0\0"[..], &only_orientation(orientation), b"GPS 52.5N 13.4E"].concat();
        let length = (exif.len() + 2) as u16;
        [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn large_images_are_made_smaller_in_their_own_format() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let large = encode(&picture(120, 60), format, None).unwrap();
            let fitted = fit(large.clone(), 40).unwrap();
            assert_eq!((size(&fitted.bytes), image::guess_format(&fitted.bytes).unwrap()), ((40, 20), format));
            assert_eq!(fitted.note, "made smaller from 120x60");
            assert_eq!(
                fit(large.clone(), 120).unwrap(),
                Fitted { bytes: large.clone(), note: String::new(), smaller: false }
            );
            assert_eq!(fit(large.clone(), 0).unwrap().bytes, large);
        }
        let webp = encode(&picture(120, 60), ImageFormat::WebP, None).unwrap();
        assert_eq!(size(&fit(webp, 40).unwrap().bytes), (40, 20));
    }

    #[test]
    fn a_photo_is_turned_upright_and_tells_nothing_of_its_place() {
        let photo = with_exif(&encode(&picture(120, 60), ImageFormat::Jpeg, None).unwrap(), 6);
        assert_eq!(size(&photo), (60, 120));
        let small = fit(photo.clone(), 40).unwrap();
        assert_eq!(size(&small.bytes), (20, 40));
        assert_eq!(header::read(&small.bytes).unwrap().orientation, 1);
        let kept = fit(photo, 0).unwrap();
        assert_eq!((size(&kept.bytes), header::read(&kept.bytes).unwrap().orientation), ((60, 120), 6));
        for bytes in [&small.bytes, &kept.bytes] {
            assert!(!bytes.windows(3).any(|part| part == b"GPS"));
            assert!(image::load_from_memory(bytes).is_ok());
        }
    }

    #[test]
    fn notes_inside_png_and_webp_go_too() {
        let png = encode(&picture(8, 4), ImageFormat::Png, None).unwrap();
        let text = b"tEXtAuthor\0GPS";
        let exif = [&b"eXIf"[..], &only_orientation(3), b"GPS"].concat();
        let chunk =
            |data: &[u8]| [&(data.len() as u32 - 4).to_be_bytes()[..], data, &checksum(data).to_be_bytes()].concat();
        let noted = [&png[..33], &chunk(text), &chunk(&exif), &png[33..]].concat();
        let plain = fit(noted, 0).unwrap().bytes;
        assert!(!plain.windows(3).any(|part| part == b"GPS") && image::load_from_memory(&plain).is_ok());
        assert_eq!(header::read(&plain).unwrap().orientation, 3);
        assert_eq!(fit(plain.clone(), 0).unwrap().bytes, plain);

        let webp = encode(&picture(8, 4), ImageFormat::WebP, None).unwrap();
        let mut noted = webp[..12].to_vec();
        noted.extend(b"VP8X\x0a\0\0\0\x0c\0\0\0\x07\0\0\x03\0\0");
        noted.extend(&webp[12..]);
        noted.extend(b"EXIF\x04\0\0\0GPS!XMP \x03\0\0\0GPS\0");
        let plain = fit(noted, 0).unwrap().bytes;
        assert!(!plain.windows(3).any(|part| part == b"GPS") && image::load_from_memory(&plain).is_ok());
        assert_eq!(plain.len() - 8, u32::from_le_bytes(plain[4..8].try_into().unwrap()) as usize);
    }

    #[test]
    fn bombs_and_broken_images_are_refused_before_they_are_decoded() {
        let mut bomb = encode(&picture(8, 4), ImageFormat::Png, None).unwrap();
        bomb[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        assert!(fit(bomb, 2560).unwrap_err().contains("20000x20000"));
        let gif = b"GIF89a\xff\xff\xff\xff\0\0\0;".to_vec();
        assert!(fit(gif, 2560).unwrap_err().contains("65535x65535"));
        let cut = encode(&picture(120, 60), ImageFormat::Png, None).unwrap()[..200].to_vec();
        assert!(fit(cut, 40).unwrap_err().contains("broken"));
        assert!(fit(b"\x89PNG\r\n\x1a\n".to_vec(), 40).is_err());
    }

    #[test]
    fn moving_images_are_left_as_they_are() {
        let png = encode(&picture(120, 60), ImageFormat::Png, None).unwrap();
        let actl = b"\0\0\0\x08acTL\0\0\0\x02\0\0\0\0\xf3\x8d\x93\x70";
        let moving = [&png[..33], actl, &png[33..]].concat();
        assert_eq!(fit(moving.clone(), 40).unwrap().bytes, moving);
        let gif = b"GIF89a\x80\x02\x80\x02\0\0\0;".to_vec();
        assert_eq!(fit(gif.clone(), 40).unwrap().bytes, gif);
    }
}
