use super::*;

const TIP: &str = "1111111111111111111111111111111111111111";

fn packets(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "" => pkt::flush(&mut out),
            line => pkt::write(&mut out, line),
        }
    }
    out
}

fn refused<T: std::fmt::Debug>(result: Result<T, Reason>) -> String {
    result.unwrap_err().0
}

#[test]
fn an_offer_is_read_with_or_without_the_line_of_http() {
    let first = format!("{TIP} HEAD\0report-status agent=x\n");
    let main = format!("{TIP} refs/heads/main\n");
    for before in [vec![], vec!["# service=git-upload-pack\n", ""], vec!["version 1\n"]] {
        let bytes = packets(&[before, vec![&first, &main, &format!("shallow {TIP}"), ""]].concat());
        let offer = read_offer(&mut bytes.as_slice(), "main").unwrap();
        assert_eq!(offer.tip, Some(Oid::from_str(TIP).unwrap()));
        assert!(offer.has("report-status") && !offer.has("agent"));
        assert_eq!(read_offer(&mut bytes.as_slice(), "mai").unwrap().tip, None);
        // However it is cut, it is no offer.
        for cut in 0..bytes.len() {
            assert!(read_offer(&mut &bytes[..cut], "main").is_err(), "cut after {cut}");
        }
        // However a byte is changed, nothing panics.
        for at in 0..bytes.len() {
            for byte in [0, b'0', b'f', 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                let _ = read_offer(&mut bytes.as_slice(), "main");
            }
        }
    }
}

#[test]
fn an_empty_repository_offers_nothing_but_what_it_can() {
    let bytes = packets(&[&format!("{} capabilities^{{}}\0report-status\n", Oid::ZERO_SHA1), ""]);
    let offer = read_offer(&mut bytes.as_slice(), "main").unwrap();
    assert!(offer.tip.is_none() && offer.refs.is_empty() && offer.has("report-status"));
    assert!(read_offer(&mut b"0000".as_slice(), "main").unwrap().tip.is_none());
}

#[test]
fn what_a_service_says_no_with_is_told() {
    let said = packets(&["ERR access denied\n"]);
    assert_eq!(refused(read_offer(&mut said.as_slice(), "main")), "access denied");
    let other = packets(&[&format!("{TIP} HEAD\0object-format=sha256\n"), ""]);
    assert!(refused(read_offer(&mut other.as_slice(), "main")).contains("sha256"));
    for line in ["short", "zzzz", &format!("{} refs/heads/main", "é".repeat(20))] {
        let bytes = packets(&[line, ""]);
        assert!(read_offer(&mut bytes.as_slice(), "main").is_err(), "{line}");
    }
    assert!(refused(read_offer(&mut b"<html>".as_slice(), "main")).contains("git's protocol"));
}

#[test]
fn only_a_report_that_names_the_branch_is_success() {
    let plain = |lines: &[&str]| report(packets(lines).as_slice(), false, "main");
    assert_eq!(plain(&["unpack ok\n", "ok refs/heads/main\n", ""]).unwrap(), None);
    assert!(plain(&["unpack ok\n", "ok refs/heads/other\n", ""]).is_err());
    assert!(plain(&["unpack ok\n", ""]).is_err());
    assert!(plain(&[""]).is_err());
    assert!(plain(&["unpack ok\n", "ok refs/heads/main\n"]).is_err(), "cut before its end");
    assert_eq!(plain(&["unpack ok\n", "ng refs/heads/main no\n", ""]).unwrap().as_deref(), Some("no"));
    let broken = plain(&["unpack index-pack failed\n", "ng refs/heads/main unpacker error\n", ""]).unwrap();
    assert_eq!(broken.as_deref(), Some("index-pack failed"));
    let inner = String::from_utf8(packets(&["unpack ok\n", "ng refs/heads/main declined\n", ""])).unwrap();
    let banded = packets(&["\u{2}main is\n", "\u{2} protected\n", &format!("\u{1}{inner}"), ""]);
    assert_eq!(report(banded.as_slice(), true, "main").unwrap().as_deref(), Some("declined: main is protected"));
    assert_eq!(refused(report(packets(&["\u{3}died\n", ""]).as_slice(), true, "main")), "died");
}
