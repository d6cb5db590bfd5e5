//! Reads a date in any form that sites write; no clock, no guess between day and month.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::Date;

/// Longest text looked at; every form is far shorter.
const MAX_LENGTH: usize = 64;

/// A day with an optional time of day and an optional offset.
#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<civil::Time>,
    zone: Option<TimeZone>,
}

pub(super) fn date(text: &str, zone: &TimeZone) -> Option<Date> {
    let text = text.trim();
    if text.len() > MAX_LENGTH {
        return None;
    }
    if let Some(moment) = unix_seconds(text) {
        return Some(Date { zoned: moment.to_zoned(TimeZone::UTC), day_only: false });
    }
    let parts = numeric(text).or_else(|| named(text))?;
    let day = civil::Date::new(parts.year?, parts.month?, parts.day?).ok()?;
    let time = parts.time.unwrap_or_else(civil::Time::midnight);
    let zone = parts.zone.unwrap_or_else(|| zone.clone());
    let zoned = day.to_datetime(time).to_zoned(zone).ok()?;
    Some(Date { zoned, day_only: parts.time.is_none() })
}

fn unix_seconds(text: &str) -> Option<jiff::Timestamp> {
    let is_seconds = (9..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_seconds { jiff::Timestamp::from_second(text.parse().ok()?).ok() } else { None }
}

/// `2026-11-23`, `2026/1/3`, `20261123`, each with an optional time behind `T` or spaces.
fn numeric(text: &str) -> Option<Parts> {
    let day_length = text.find(['T', 't', ' ', '\t', '_']).unwrap_or(text.len());
    let (day, rest) = text.split_at(day_length);
    let mut parts = Parts::default();
    let separator = ['-', '/', '.'].into_iter().find(|c| day.contains(*c));
    let (year, month, day) = match separator {
        Some(separator) => {
            let mut numbers = day.split(separator);
            let found = (numbers.next()?, numbers.next()?, numbers.next()?);
            if numbers.next().is_some() {
                return None;
            }
            found
        }
        None if day.len() == 8 && day.is_ascii() => (&day[..4], &day[4..6], &day[6..]),
        None => return None,
    };
    if year.len() != 4 {
        return None;
    }
    parts.year = Some(digits(year, 4)?);
    parts.month = Some(i8::try_from(digits(month, 2)?).ok()?);
    parts.day = Some(i8::try_from(digits(day, 2)?).ok()?);
    let rest = rest.strip_prefix(['T', 't', '_']).unwrap_or(rest).trim_start();
    if !rest.is_empty() {
        clock_and_zone(rest, &mut parts)?;
    } else if day_length < text.len() {
        return None;
    }
    Some(parts)
}

/// `10:00`, `10:00:30.5Z`, `10:00 +0100`, `10:00:00+01:00[Europe/Berlin]` (the offset counts), `10:00 pm`.
fn clock_and_zone(text: &str, parts: &mut Parts) -> Option<()> {
    let clock_length = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',')).unwrap_or(text.len());
    let (time, rest) = text.split_at(clock_length);
    parts.time = Some(clock(time)?);
    let rest = rest.split('[').next().unwrap_or_default();
    for word in rest.split_whitespace() {
        if !half_of_day(word, parts) {
            parts.zone = Some(zone_name(word)?);
        }
    }
    Some(())
}

/// `Nov 23, 2026`, `23 November 2026 10:00`, `Mon, 23 Nov 2026 10:00:00 +0100`, `Mon Nov 23 10:00:00 UTC 2026`.
fn named(text: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        // RFC 2822 allows a comment such as `(CET)` behind the offset.
        if word.starts_with('(') && parts.zone.is_some() {
            continue;
        }
        let known = if word.contains(':') && parts.time.is_none() {
            let split = word.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.')).unwrap_or(word.len());
            let (time, half) = word.split_at(split);
            parts.time = Some(clock(time)?);
            half.is_empty() || half_of_day(half, &mut parts)
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            number(word, &mut parts)
        } else if parts.month.is_none() && month(word).is_some() {
            parts.month = month(word);
            true
        } else {
            half_of_day(word, &mut parts) || is_filler(word) || set_zone(word, &mut parts)
        };
        if !known {
            return None;
        }
    }
    Some(parts)
}

/// A year has four digits; a day one or two and maybe `th`.
fn number(word: &str, parts: &mut Parts) -> bool {
    let lower = word.to_ascii_lowercase();
    let bare = ["st", "nd", "rd", "th", "."].iter().find_map(|end| lower.strip_suffix(end)).unwrap_or(&lower);
    if bare.len() == 4 && bare.len() == word.len() && parts.year.is_none() {
        parts.year = digits(bare, 4);
        return parts.year.is_some();
    }
    if parts.day.is_none() {
        parts.day = digits(bare, 2).and_then(|day| i8::try_from(day).ok());
        return parts.day.is_some();
    }
    false
}

fn set_zone(word: &str, parts: &mut Parts) -> bool {
    if parts.zone.is_some() || parts.time.is_none() {
        return false;
    }
    parts.zone = zone_name(word);
    parts.zone.is_some()
}

fn half_of_day(word: &str, parts: &mut Parts) -> bool {
    let afternoon = match word.to_ascii_lowercase().as_str() {
        "am" | "a.m." => false,
        "pm" | "p.m." => true,
        _ => return false,
    };
    let Some(time) = parts.time.filter(|time| (1..=12).contains(&time.hour())) else { return false };
    let hour = time.hour() % 12 + if afternoon { 12 } else { 0 };
    parts.time = time.with().hour(hour).build().ok();
    parts.time.is_some()
}

fn clock(text: &str) -> Option<civil::Time> {
    let mut numbers = text.split(':');
    let hour = digits(numbers.next()?, 2)?;
    let minute = digits(numbers.next()?, 2)?;
    let (second, nanosecond) = match numbers.next() {
        None => (0, 0),
        Some(seconds) => {
            let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, "0"));
            // A leap second has no place on the civil clock: the last second of the minute stands for it.
            (digits(whole, 2)?.min(if whole == "60" { 59 } else { i16::MAX }), nanoseconds(fraction)?)
        }
    };
    if numbers.next().is_some() {
        return None;
    }
    let small = |n: i16| i8::try_from(n).ok();
    civil::Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

fn zone_name(word: &str) -> Option<TimeZone> {
    if matches!(word.to_ascii_uppercase().as_str(), "Z" | "UTC" | "GMT" | "UT") {
        return Some(TimeZone::UTC);
    }
    let (sign, rest) = match word.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-" | "−", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match (rest.split_once(':'), rest.len()) {
        (Some(pair), _) => pair,
        (None, 4) if rest.is_ascii() => rest.split_at(2),
        (None, 1 | 2) => (rest, "0"),
        _ => return None,
    };
    let (hours, minutes) = (i32::from(digits(hours, 2)?), i32::from(digits(minutes, 2)?));
    if hours > 15 || minutes > 59 {
        return None;
    }
    Some(TimeZone::fixed(Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

fn digits(text: &str, most: usize) -> Option<i16> {
    let plain = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.').to_lowercase();
    let abbreviated = |name: &str| word.len() >= 3 && name.starts_with(&word);
    let found = MONTHS.iter().position(|name| abbreviated(name) || (word == "sept" && *name == "september"))?;
    i8::try_from(found + 1).ok()
}

/// Words that say nothing the numbers do not: a day of the week, `at`, `of`.
fn is_filler(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_lowercase();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    matches!(word.as_str(), "at" | "of" | "the") || (word.len() >= 3 && days.iter().any(|day| day.starts_with(&word)))
}
