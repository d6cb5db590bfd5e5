//! Git's packet lines: four hexadecimal digits of length, then the bytes.

use std::io::{self, Read};

/// The most one packet holds.
const MOST: usize = 65_520;

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    /// The end of a list.
    Flush,
    /// Its bytes, without the length.
    Data(Vec<u8>),
}

/// Reads one packet.
///
/// # Errors
/// `UnexpectedEof` where the input ends, `InvalidData` for anything that is no packet.
pub(super) fn read(input: &mut impl Read) -> io::Result<Packet> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "it does not speak git's protocol");
    let length = std::str::from_utf8(&length)
        .ok()
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or_else(invalid)?;
    if length == 0 {
        return Ok(Packet::Flush);
    }
    if !(4..=MOST).contains(&length) {
        return Err(invalid());
    }
    let mut data = vec![0; length - 4];
    input.read_exact(&mut data)?;
    Ok(Packet::Data(data))
}

/// Appends a packet of text.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(format!("{:04x}{text}", text.len() + 4).as_bytes());
}

/// Appends the end of a list.
pub(super) fn flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// The bytes of a packet of text without its line break.
pub(super) fn line(data: &[u8]) -> &[u8] {
    data.strip_suffix(b"\n").unwrap_or(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        write(&mut out, "want it\n");
        flush(&mut out);
        let mut input = out.as_slice();
        assert_eq!(read(&mut input).unwrap(), Packet::Data(b"want it\n".to_vec()));
        assert_eq!(read(&mut input).unwrap(), Packet::Flush);
        assert_eq!(read(&mut input).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bytes in ["<html>", "0001", "0003", "fff1", "+004", "ffff"] {
            assert_eq!(read(&mut bytes.as_bytes()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{bytes}");
        }
        for bytes in ["", "00", "0008abc"] {
            assert_eq!(read(&mut bytes.as_bytes()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{bytes}");
        }
    }
}
