//! Git's smart protocol (version 0), for exactly what publishing needs: fetch one branch, push one commit.
//!
//! It is spoken here and not by a transport registered with libgit2, because registering one is an unsafe call, and because this way
//! every wait, redirect and question for credentials is ours to bound. Packs are made and indexed by libgit2.

use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use git2::Oid;

use super::bound::{Bound, Listening};
use super::pkt::{self, Packet};
use super::{Push, Pushed, Reason, pack};

/// The most an advertisement may hold, in bytes: hosts with very many refs send some 10 MB.
const MOST_ADVERTISED: u64 = 64 * 1024 * 1024;

/// How many of the remote's refs are remembered, to leave out of a push what they have.
const MOST_REFS: usize = 1_000;

/// How much of what a server's hooks say is kept, in bytes.
const SAID: usize = 2_000;

/// The most that fits in a packet with room to spare, in bytes.
const LONGEST_OPTION: usize = 60_000;

/// What a request is collected in: in memory while it is small.
pub(super) type Body = tempfile::SpooledTempFile;

/// The two halves of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// To fetch.
    UploadPack,
    /// To push.
    ReceivePack,
}

impl Service {
    /// The program's name, as it is on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// One conversation with one service.
pub(super) trait Wire {
    /// What the service offers.
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>, Reason>;
    /// Sends the one request, and answers the one answer.
    fn exchange(&mut self, body: &mut Body) -> Result<Box<dyn Read + '_>, Reason>;
    /// Ends the conversation without a request.
    fn close(&mut self);
    /// A better reason where the wire itself knows one.
    fn explain(&mut self, reason: Reason) -> Reason {
        reason
    }
}

/// Opens a conversation.
pub(super) type Open<'a> = &'a dyn Fn(Service) -> Result<Box<dyn Wire>, Reason>;

/// What a service said at the start.
#[derive(Debug, Default)]
struct Offer {
    tip: Option<Oid>,
    refs: Vec<Oid>,
    capabilities: Vec<String>,
}

impl Offer {
    fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c == capability)
    }
}

/// Brings the branch's commits here and answers its tip.
pub(super) fn fetch(
    open: Open<'_>,
    git: &git2::Repository,
    local: &pack::Local<'_>,
    branch: &str,
    bound: &Arc<Bound>,
) -> Result<Option<Oid>, Reason> {
    let mut wire = open(Service::UploadPack)?;
    let offer = offer(wire.as_mut(), branch, bound)?;
    let Some(tip) = offer.tip else {
        wire.close();
        return Ok(None);
    };
    if git.find_commit(tip).is_ok() {
        wire.close();
        return Ok(Some(tip));
    }
    if !offer.has("side-band-64k") {
        return Err(Reason::new("its git is too old (no side-band-64k)"));
    }
    let mut request = Vec::new();
    let wanted = chosen(&offer, &["multi_ack_detailed", "side-band-64k", "thin-pack", "ofs-delta", "no-progress"]);
    pkt::write(&mut request, &format!("want {tip} {wanted}\n"));
    for commit in pack::shallow(git)? {
        pkt::write(&mut request, &format!("shallow {commit}\n"));
    }
    pkt::flush(&mut request);
    // One round is enough: what is live here is almost always what the remote had.
    for commit in pack::known(git, local) {
        pkt::write(&mut request, &format!("have {commit}\n"));
    }
    pkt::write(&mut request, "done\n");
    let received = {
        let mut body = Body::new(request.len() + 1);
        body.write_all(&request)?;
        wire.exchange(&mut body).and_then(|answer| receive(Listening::new(answer, bound), git))
    };
    received.map_err(|reason| wire.explain(reason))?;
    git.find_commit(tip).map(|_| Some(tip)).map_err(|_| Reason::new("it did not send its newest commit"))
}

/// Makes the branch point to the commit, if it still is where it is expected.
pub(super) fn push(
    open: Open<'_>,
    git: &git2::Repository,
    branch: &str,
    push: &Push,
    bound: &Arc<Bound>,
) -> Result<Pushed, Reason> {
    let Push { commit, expected, .. } = *push;
    let mut wire = open(Service::ReceivePack)?;
    let offer = offer(wire.as_mut(), branch, bound)?;
    if let Some(settled) = settled(offer.tip, commit, expected) {
        wire.close();
        return Ok(settled);
    }
    if !offer.has("report-status") {
        return Err(Reason::new("its git is too old (no report-status)"));
    }
    if let (Some(old), false) = (expected, push.rewrite)
        && !git.graph_descendant_of(commit, old)?
    {
        return Err(Reason::new("the push would take commits away from it"));
    }
    let mut body = request(git, &offer, branch, push, bound)?;
    let report = wire
        .exchange(&mut body)
        .and_then(|answer| report(Listening::new(answer, bound), offer.has("side-band-64k"), branch));
    let report = report.map_err(|reason| wire.explain(reason));
    drop(wire);
    if matches!(report, Ok(None)) {
        return Ok(Pushed::Done);
    }
    // A refusal may only mean that somebody was faster, and a lost answer that all went well: the remote knows.
    let now = open(Service::ReceivePack).and_then(|mut wire| {
        let now = self::offer(wire.as_mut(), branch, bound)?;
        wire.close();
        Ok(now.tip)
    });
    if let Some(settled) = now.ok().and_then(|now| settled(now, commit, expected)) {
        return Ok(settled);
    }
    report.map(|refused| Pushed::Refused(refused.unwrap_or_default()))
}

/// What a push sends: the one command, options where they are understood, and the pack.
fn request(
    git: &git2::Repository,
    offer: &Offer,
    branch: &str,
    push: &Push,
    bound: &Arc<Bound>,
) -> Result<Body, Reason> {
    let mut head = Vec::new();
    let mut wanted = chosen(offer, &["report-status", "side-band-64k", "quiet"]);
    // Options are an extra: servers that take none get none.
    let options = if offer.has("push-options") { push.options.as_slice() } else { &[] };
    if !options.is_empty() {
        wanted.push_str(" push-options");
    }
    let old = push.expected.unwrap_or(Oid::ZERO_SHA1);
    pkt::write(&mut head, &format!("{old} {} refs/heads/{branch}\0{wanted}\n", push.commit));
    pkt::flush(&mut head);
    for option in options {
        let most = option.floor_char_boundary(LONGEST_OPTION);
        pkt::write(&mut head, &option[..most]);
    }
    if !options.is_empty() {
        pkt::flush(&mut head);
    }
    let mut body = Body::new(1024 * 1024);
    body.write_all(&head)?;
    pack::write(git, push.commit, &offer.refs, &mut body, bound)?;
    Ok(body)
}

/// What is already decided by where the branch is.
fn settled(there: Option<Oid>, commit: Oid, expected: Option<Oid>) -> Option<Pushed> {
    match there {
        there if there == Some(commit) => Some(Pushed::Done),
        there if there != expected => Some(Pushed::Moved),
        _ => None,
    }
}

/// The capabilities to ask for: those of ours that the service has.
fn chosen(offer: &Offer, ours: &[&str]) -> String {
    let mut chosen: Vec<&str> = ours.iter().copied().filter(|c| offer.has(c)).collect();
    chosen.push(concat!("agent=sitewright/", env!("CARGO_PKG_VERSION")));
    chosen.join(" ")
}

fn offer(wire: &mut dyn Wire, branch: &str, bound: &Arc<Bound>) -> Result<Offer, Reason> {
    let offer = wire
        .advertisement()
        .and_then(|input| read_offer(&mut Listening::new(input.take(MOST_ADVERTISED), bound), branch));
    offer.map_err(|reason| wire.explain(reason))
}

/// Reads the list of refs. Over HTTP a line that names the service and an empty list come first.
fn read_offer(input: &mut impl Read, branch: &str) -> Result<Offer, Reason> {
    let wanted = format!("refs/heads/{branch}");
    let mut offer = Offer::default();
    let mut first = true;
    while let Packet::Data(data) = pkt::read(input)? {
        let line = pkt::line(&data);
        if first && line.starts_with(b"# service=") {
            if pkt::read(input)? != Packet::Flush {
                return Err(Reason::new("it does not speak git's protocol"));
            }
            continue;
        }
        if line.starts_with(b"version ") || line.starts_with(b"shallow ") {
            continue;
        }
        said_error(line)?;
        let mut parts = line.splitn(2, |b| *b == 0);
        let reference = parts.next().unwrap_or_default();
        if let (true, Some(capabilities)) = (first, parts.next()) {
            offer.capabilities = String::from_utf8_lossy(capabilities).split_whitespace().map(str::to_owned).collect();
            check_format(&offer)?;
        }
        first = false;
        let (id, name) = reference.split_at_checked(40).ok_or_else(|| Reason::new("it sent an impossible ref"))?;
        let id = std::str::from_utf8(id).ok().and_then(|id| Oid::from_str(id).ok());
        let id = id.ok_or_else(|| Reason::new("it sent an impossible ref"))?;
        if !id.is_zero() && offer.refs.len() < MOST_REFS {
            offer.refs.push(id);
        }
        if name.strip_prefix(b" ") == Some(wanted.as_bytes()) {
            offer.tip = Some(id);
            // Whatever comes before it in the list, a push builds on it.
            offer.refs.push(id);
        }
    }
    Ok(offer)
}

fn check_format(offer: &Offer) -> Result<(), Reason> {
    let format = offer.capabilities.iter().find_map(|c| c.strip_prefix("object-format="));
    match format {
        Some(format) if format != "sha1" => {
            Err(Reason::new(format!("it is a {format} repository, which is not supported")))
        }
        _ => Ok(()),
    }
}

/// `ERR` is how a service says no.
fn said_error(line: &[u8]) -> Result<(), Reason> {
    match line.strip_prefix(b"ERR ") {
        Some(words) => Err(Reason::new(String::from_utf8_lossy(words).into_owned())),
        None => Ok(()),
    }
}

/// Reads acknowledgements, then the pack.
fn receive(mut input: impl Read, git: &git2::Repository) -> Result<(), Reason> {
    let first = loop {
        match pkt::read(&mut input)? {
            Packet::Flush => {}
            Packet::Data(data) => {
                let line = pkt::line(&data);
                said_error(line)?;
                if !(line.starts_with(b"ACK ") || line == b"NAK" || line.starts_with(b"shallow ")) {
                    break data;
                }
            }
        }
    };
    let database = git.odb()?;
    let mut writer = database.packwriter()?;
    let mut said = Vec::new();
    let mut wrote = false;
    let mut next = Packet::Data(first);
    while let Packet::Data(data) = next {
        match unband(&data, &mut said)? {
            Some(bytes) if !bytes.is_empty() => {
                writer.write_all(bytes)?;
                wrote = true;
            }
            _ => {}
        }
        next = pkt::read(&mut input)?;
    }
    if !wrote {
        return Err(Reason::new("it sent nothing"));
    }
    writer.commit()?;
    Ok(())
}

/// The payload of a packet of several bands; what is said on the second is kept, what is said on the third is an error.
fn unband<'a>(data: &'a [u8], said: &mut Vec<u8>) -> Result<Option<&'a [u8]>, Reason> {
    match data.split_first() {
        Some((1, bytes)) => Ok(Some(bytes)),
        Some((2, words)) => {
            said.extend_from_slice(&words[..words.len().min(SAID.saturating_sub(said.len()))]);
            Ok(None)
        }
        Some((3, words)) => Err(Reason::new(String::from_utf8_lossy(words).trim().to_owned())),
        Some(_) => Err(Reason::new("it does not speak git's protocol")),
        None => Ok(None),
    }
}

/// Reads what became of a push; `Some`: the remote's reason for not taking it.
fn report(mut input: impl Read, banded: bool, branch: &str) -> Result<Option<String>, Reason> {
    let mut said = Vec::new();
    let mut lines = Vec::new();
    if banded {
        let mut inner = Vec::new();
        while let Packet::Data(data) = pkt::read(&mut input)? {
            if let Some(bytes) = unband(&data, &mut said)? {
                inner.extend_from_slice(bytes);
                if inner.len() > 1024 * 1024 {
                    return Err(Reason::new("its report is too long"));
                }
            }
        }
        let mut inner = inner.as_slice();
        while !inner.is_empty() {
            if let Packet::Data(data) = pkt::read(&mut inner)? {
                lines.push(data);
            }
        }
    } else {
        while let Packet::Data(data) = pkt::read(&mut input)? {
            lines.push(data);
        }
    }
    let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(pkt::line(line)).into_owned()).collect();
    if lines.is_empty() {
        return Err(Reason::new("it did not say what became of the push"));
    }
    let refused = lines.iter().find_map(|line| {
        let unpacked = line.strip_prefix("unpack ").filter(|result| *result != "ok");
        let refused = line.strip_prefix("ng ").map(|rest| rest.split_once(' ').map_or(rest, |(_, reason)| reason));
        refused.or(unpacked).map(str::to_owned)
    });
    let taken = lines.iter().any(|line| line.strip_prefix("ok ") == Some(&format!("refs/heads/{branch}")));
    let reason = match refused {
        None if taken => return Ok(None),
        None => return Err(Reason::new("it did not say what became of the push")),
        Some(reason) => reason,
    };
    let said = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Some(if said.is_empty() { reason } else { format!("{reason}: {said}") }))
}

/// The length of a body, and its start.
pub(super) fn rewind(body: &mut Body) -> io::Result<u64> {
    let length = body.seek(io::SeekFrom::End(0))?;
    body.rewind()?;
    Ok(length)
}

#[cfg(test)]
mod tests;
