//! Plurals, sizes, ages and lists: the only place that spells them.

use bytesize::ByteSize;
use jiff::Timestamp;

/// A number and its noun.
///
/// ```
/// use plan::words::count;
/// assert_eq!(count(1, "volume"), "1 volume");
/// assert_eq!(count(1_483, "row"), "1,483 rows");
/// assert_eq!(count(2, "kept copy"), "2 kept copies");
/// ```
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o']) => format!("{} {stem}ies", thousands(number)),
        _ if noun.ends_with('x') || noun.ends_with('s') => format!("{} {noun}es", thousands(number)),
        _ => format!("{} {noun}s", thousands(number)),
    }
}

/// A number with its thousands apart.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in decimal units, as disks and `docker` count.
///
/// ```
/// assert_eq!(plan::words::bytes(84_000_000), "84.0 MB");
/// assert_eq!(plan::words::bytes(512), "512 B");
/// ```
#[must_use]
pub fn bytes(number: u64) -> String {
    ByteSize::b(number).display().si().to_string()
}

/// How long ago something was, in its largest unit.
///
/// ```
/// use jiff::Timestamp;
/// let at = |second| Timestamp::from_second(second).unwrap();
/// assert_eq!(plan::words::ago(at(0), at(250)), "4 minutes ago");
/// assert_eq!(plan::words::ago(at(0), at(3)), "just now");
/// ```
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second() - then.as_second()).unwrap_or(0);
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    match units.iter().find(|(size, _)| seconds >= *size) {
        Some((size, unit)) => format!("{} ago", count(seconds / size, unit)),
        None if seconds < 10 => "just now".to_owned(),
        None => format!("{seconds} seconds ago"),
    }
}

/// A duration as a person would say it: `31 ms`, `1.9 s`, `2 min 5 s`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(plan::words::took(Duration::from_millis(31)), "31 ms");
/// assert_eq!(plan::words::took(Duration::from_millis(1_940)), "1.9 s");
/// assert_eq!(plan::words::took(Duration::from_secs(125)), "2 min 5 s");
/// ```
#[must_use]
pub fn took(time: std::time::Duration) -> String {
    match time.as_millis() {
        0..1_000 => format!("{} ms", time.as_millis()),
        1_000..60_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

/// Things in a sentence, in backticks.
///
/// ```
/// assert_eq!(plan::words::list(["db", "web", "worker"]), "`db`, `web` and `worker`");
/// ```
#[must_use]
pub fn list<T: std::fmt::Display>(things: impl IntoIterator<Item = T>) -> String {
    joined(things.into_iter().map(|thing| format!("`{thing}`")))
}

/// Things in a sentence, as they are.
///
/// ```
/// assert_eq!(plan::words::joined(["a folder".to_owned(), "a file".to_owned()]), "a folder and a file");
/// ```
#[must_use]
pub fn joined(things: impl IntoIterator<Item = String>) -> String {
    let mut things: Vec<String> = things.into_iter().collect();
    match things.pop() {
        None => "nothing".to_owned(),
        Some(last) if things.is_empty() => last,
        Some(last) => format!("{} and {last}", things.join(", ")),
    }
}

/// The known name that a mistyped one was probably meant to be.
///
/// ```
/// use plan::words::nearest;
/// assert_eq!(nearest("postgers", ["redis", "postgres"]), Some("postgres"));
/// assert_eq!(nearest("mail", ["redis", "postgres"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// An argument as a shell would have to read it, for hints that are pasted.
///
/// ```
/// assert_eq!(plan::words::shell("a b"), "'a b'");
/// assert_eq!(plan::words::shell("plain-1.0/x"), "plain-1.0/x");
/// ```
#[must_use]
pub fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}
