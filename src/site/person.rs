//! Settings that open the machine or the network to callers: no tool changes them, only a person in the file.

use serde_json::Value;

use super::Call;
use crate::error::{Error, Result};
use crate::model::config::PERSON_ONLY;
use crate::model::{Snapshot, front_matter};

/// Refuses an edit that sets one of [`PERSON_ONLY`] to something else; taking it out is fine where that closes what it opened.
///
/// # Errors
/// `NotAllowed`, which names the setting.
pub(super) fn check(call: &Call, base: &Snapshot, after: &Snapshot) -> Result<()> {
    let (before, now) = (base.text("site.yaml"), after.text("site.yaml"));
    if call.admin || before == now {
        return Ok(());
    }
    let read = |text: Option<&str>| front_matter::read_yaml("site.yaml", text.unwrap_or_default()).unwrap_or_default();
    let (before, now) = (read(before), read(now));
    for (place, closes) in PERSON_ONLY {
        let wanted = at(&now, place);
        let changed = wanted != at(&before, place);
        if changed && !(closes && wanted.is_null()) {
            let tool = format!("setting `{}` in site.yaml", place.join("."));
            return Err(Error::NotAllowed { tool, right: "admin".into() });
        }
    }
    Ok(())
}

fn at<'a>(value: &'a Value, place: &[&str]) -> &'a Value {
    place.iter().fold(value, |value, key| value.get(key).unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ContentPath;
    use crate::store::Repository;

    fn site(text: &str) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.set(ContentPath::from_disk("site.yaml").unwrap(), Some(Repository::file(text.as_bytes().to_vec())));
        snapshot
    }

    #[test]
    fn no_tool_opens_the_machine_or_the_network() {
        let base = site("title: A\nfetch: {allow: [a.example], seconds: 5}\n");
        let check = |text: &str| check(&Call::default(), &base, &site(text));
        for text in
            ["title: B\nfetch: {allow: [a.example], seconds: 9}\n", "title: A\n", "title: A\nuploads: {max_px: 9}\n"]
        {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            "fetch: {allow: [a.example, 127.0.0.1]}\n",
            "fetch: {allow: [b.example]}\n",
            "fetch: {allow: [a.example]}\nuploads: {folders: [/]}\n",
            "uploads: {svg: trusted}\n",
            "uploads: {scripts: trusted}\n",
            "webhooks: [{url: 'https://evil.example/'}]\n",
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.code(), "not_allowed", "{text}: {error}");
        }
        let admin = Call { admin: true, ..Call::default() };
        assert!(super::check(&admin, &base, &site("uploads: {folders: [/]}\n")).is_ok());
    }
}
