//! The `date` helper.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::{self, BrokenDownTime};
use serde_json::Value;

use super::guard::Fault;
use super::values::text;
use super::vocabulary::{Args, PureFn};

pub(super) const HELPERS: &[(&str, PureFn)] = &[("date", date)];

/// Where a template names no format.
const DEFAULT: &str = "%-d %B %Y";

fn date(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let source = args.text(0)?;
    if source.is_empty() {
        return Ok(Value::from(""));
    }
    let pattern = args.maybe(1).map(text).filter(|pattern| !pattern.is_empty()).unwrap_or_else(|| DEFAULT.into());
    if pattern.len() > 200 {
        return Err(args.fault("got a format of more than 200 characters", "Use a format such as \"%-d %B %Y\"."));
    }
    format(&source, &pattern).map(Value::from).map_err(|problem| {
        args.fault(
            &format!("cannot write `{source}` as `{pattern}`: {problem}"),
            "Use a format such as \"%-d %B %Y\" or \"%Y-%m-%d\".",
        )
    })
}

/// A date or time of RFC 3339 as the pattern says; the text's own offset counts.
pub(super) fn format(source: &str, pattern: &str) -> Result<String, String> {
    let moment = moment(source).ok_or("this is no date")?;
    strtime::format(pattern, moment).map_err(|error| error.to_string())
}

fn moment(source: &str) -> Option<BrokenDownTime> {
    let source = source.trim();
    for pattern in ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%:z"] {
        let plain = source.strip_suffix(['Z', 'z']).map(|text| format!("{text}+00:00"));
        if let Ok(found) = strtime::parse(pattern, plain.as_deref().unwrap_or(source)) {
            return found.to_zoned().ok().map(|zoned| BrokenDownTime::from(&zoned));
        }
    }
    source
        .parse::<DateTime>()
        .map(BrokenDownTime::from)
        .ok()
        .or_else(|| source.parse::<Date>().map(BrokenDownTime::from).ok())
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn dates_are_written_as_asked() {
        for (source, pattern, expected) in [
            ("2026-11-03T09:05:00+01:00", "%-d %B %Y", "3 November 2026"),
            ("2026-11-03T09:05:00Z", "%Y-%m-%d %H:%M %:z", "2026-11-03 09:05 +00:00"),
            ("2026-11-03", "%a %d %b %y", "Tue 03 Nov 26"),
            ("2026-11-03T23:59:59.5-08:00", "%F %T", "2026-11-03 23:59:59"),
        ] {
            assert_eq!(format(source, pattern).as_deref(), Ok(expected), "{source}");
        }
        assert!(format("soon", "%Y").is_err());
        assert!(format("2026-11-03", "%!").is_err());
    }
}
