//! Copies of volumes: made by a short-lived container, compared inside it, and written down only then. Until it is
//! written down a copy is no way back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::{Exit, Fault, Kept, KeptPlace, Outcome, Said, VolumeName, words};

use super::docker::{ask_for, change, fault};
use super::volumes::{Helper, label};
use super::{Context, actions, inspect, volumes};
use crate::program::Run;
use crate::records::Records;

/// In shell that GNU's tools and busybox both speak. The checksum is against damage, not against malice.
/// busybox does not carry over the time of a symbolic link.
const COPY: &str = r#"
set -e
total=$(du -sk /from | cut -f1)
set -- $(df -Pk /to | tail -n1)
if [ "$4" -le "$total" ]; then echo "full $total $4"; exit 3; fi
( while :; do sleep 0.2 2>/dev/null || sleep 1; echo "done $(du -sk /to | cut -f1) $total"; done ) & meter=$!
: >/to/.cleanslate-unfinished
if cp --help 2>&1 | grep -q reflink; then cp -a --reflink=auto /from/. /to/; else cp -a /from/. /to/; fi
sync
kill $meter
list() {
  cd "$1"
  find . ! -type l ! -path ./.cleanslate-unfinished -exec stat -c '%n %f %u:%g %Y' {} +
  find . -type l -exec stat -c '%N %u:%g' {} +
  find . -type f ! -path ./.cleanslate-unfinished -exec stat -c '%n %s' {} +
  find . -type f ! -path ./.cleanslate-unfinished -exec md5sum {} +
}
list /from | LC_ALL=C sort >/tmp/from & other=$!
list /to | LC_ALL=C sort >/tmp/to
wait $other
if [ ! -s /tmp/to ] || [ "$(md5sum </tmp/from)" != "$(md5sum </tmp/to)" ]; then
  echo "differs $(LC_ALL=C comm -3 /tmp/from /tmp/to 2>/dev/null | head -n1)"
  exit 4
fi
rm /to/.cleanslate-unfinished
touch -r /from /to
sync
echo "same $total"
"#;

/// Copies a volume and writes the copy down as complete.
pub(super) fn keep(
    context: &Context<'_>,
    from: &VolumeName,
    to: &VolumeName,
    n: u32,
    image: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let attempt = format!("volume `{from}` was not copied");
    let found = inspect::volumes(vec![from.to_string()])?;
    let Some(original) = found.into_iter().next() else {
        return Err(Fault::new(Exit::Failed, attempt).cause("it is gone"));
    };
    let writers = actions::users(from, false)?;
    if let Some(first) = writers.first() {
        return Err(Fault::new(Exit::Failed, attempt)
            .cause(format!("{} still writes to it", words::list(&writers)))
            .hint(format!("docker stop {first}")));
    }
    let mut records = Records::read(context.workspace)?;
    records.reserve(n)?;
    let labels = BTreeMap::from([
        (label::WORKSPACE.to_owned(), context.workspace.id.clone()),
        (label::KIND.to_owned(), "kept".to_owned()),
        (label::OF.to_owned(), from.to_string()),
        (label::NUMBER.to_owned(), n.to_string()),
    ]);
    let bytes = make(from, to, &labels, image, &attempt, said)?;
    let place = KeptPlace::Volume { copy: to.clone(), of: from.clone(), labels: original.labels };
    let written = records.keep(Kept { n, at: Timestamp::now(), bytes, place });
    written.inspect_err(|_| discard(to))?;
    Ok(Outcome::detail(format!("{}, compared", words::bytes(bytes))))
}

/// Makes the original again from its complete copy, under the labels that it had.
pub(super) fn restore(
    context: &Context<'_>,
    from: &VolumeName,
    to: &VolumeName,
    labels: &BTreeMap<String, String>,
    image: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let attempt = format!("volume `{to}` was not restored");
    let mut records = Records::read(context.workspace)?;
    if records.copy(from).is_none() {
        return Err(Fault::new(Exit::Failed, attempt).cause(format!("`{from}` is no complete copy of ours")));
    }
    // Known as ours before it is there: what a crash leaves of it the next undo removes.
    if inspect::volumes(vec![to.to_string()])?.is_empty() {
        records.make([(to.clone(), volumes::RESTORED.to_owned())])?;
    }
    let made = make(from, to, labels, image, &attempt, said);
    let bytes = made.inspect_err(|_| drop(records.unmake(to)))?;
    if let Some(identity) = actions::identity(context, to)? {
        records.make([(to.clone(), identity)])?;
    }
    Ok(Outcome::detail(format!("{}, compared", words::bytes(bytes))))
}

/// Whether a copy may go while nothing else holds what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Original {
    MustExist,
    MayBeGone,
}

/// Removes a copy of ours whose original is there, and its record.
pub(super) fn forget(context: &Context<'_>, copy: &VolumeName, needed: Original) -> Result<Outcome, Fault> {
    let attempt = format!("copy `{copy}` was not removed");
    let mut records = Records::read(context.workspace)?;
    let Some(volume) = inspect::volumes(vec![copy.to_string()])?.into_iter().next() else {
        records.forget_volume(copy)?;
        return Ok(Outcome::idle("was gone"));
    };
    let text = |key: &str| volume.labels.get(key).map(String::as_str);
    if text(label::KIND) != Some("kept") || text(label::WORKSPACE) != Some(&context.workspace.id) {
        return Err(Fault::new(Exit::Refused, attempt).cause("it does not carry this workspace's label"));
    }
    let original = text(label::OF).unwrap_or_default().to_owned();
    if needed == Original::MustExist && inspect::volumes(vec![original.clone()])?.is_empty() {
        return Err(Fault::new(Exit::Refused, attempt).cause(format!("`{original}` is in no other place")));
    }
    remove(copy, &attempt)?;
    records.forget_volume(copy)?;
    Ok(Outcome::default())
}

/// A new volume with what another one holds, compared. Its bytes. What was half made is removed again.
fn make(
    from: &VolumeName,
    to: &VolumeName,
    labels: &BTreeMap<String, String>,
    image: &str,
    attempt: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<u64, Fault> {
    if !inspect::volumes(vec![to.to_string()])?.is_empty() {
        return Err(Fault::new(Exit::Failed, attempt)
            .cause(format!("there is a volume `{to}` already"))
            .hint(format!("docker volume inspect {to}")));
    }
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    change(["volume", "create"].into_iter().chain(labels).chain([to.as_str()]))
        .map_err(|run| fault(&run, attempt))?;
    fill(from, to, image, attempt, said).inspect_err(|_| discard(to))
}

fn fill(
    from: &VolumeName,
    to: &VolumeName,
    image: &str,
    attempt: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<u64, Fault> {
    let mounts = vec![(from, "/from".to_owned(), false), (to, "/to".to_owned(), true)];
    let mut told = Told::default();
    let run = Helper { image, mounts, script: COPY }.run(&mut |line| {
        told.hear(line);
        if let Some((done, total)) = told.progress.take() {
            said(Said::Progress { done: done.min(total), total });
        }
    });
    match (run, told.same, told.full, told.differs) {
        (Ok(()), Some(bytes), ..) => Ok(bytes),
        (_, _, Some((total, free)), _) => Err(Fault::new(Exit::Failed, attempt)
            .cause(format!("it holds {}, and {} are free", words::bytes(total), words::bytes(free)))
            .hint("docker system df shows what takes the room")),
        (_, _, _, Some(line)) => {
            Err(Fault::new(Exit::Failed, attempt).cause(format!("the copy is not the same: {line}")))
        }
        (Err(run), ..) => Err(fault(&run, attempt)),
        (Ok(()), ..) => Err(Fault::new(Exit::Failed, attempt).cause("the two were not compared")),
    }
}

/// What the copying container says.
#[derive(Default)]
struct Told {
    progress: Option<(u64, u64)>,
    same: Option<u64>,
    full: Option<(u64, u64)>,
    differs: Option<String>,
}

impl Told {
    fn hear(&mut self, line: &str) {
        let number = |text: &str| text.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024);
        let pair = |one: &str, two: &str| Some((number(one)?, number(two)?));
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["done", done, total] => self.progress = pair(done, total),
            ["full", total, free] => self.full = pair(total, free),
            ["same", total] => self.same = number(total),
            ["differs", ..] => self.differs = Some(line.trim_start_matches("differs ").to_owned()),
            _ => {}
        }
    }
}

/// A half-made volume goes. It holds nothing that is not somewhere else.
fn discard(volume: &VolumeName) {
    // The first fault is the one to tell. A copy that stays is in no record, and so no way back.
    let _ = remove(volume, "the half-made copy was not removed");
}

fn remove(volume: &VolumeName, attempt: &str) -> Result<(), Fault> {
    match change(["volume", "rm", volume.as_str()]) {
        Err(run @ Run::Failed { .. }) if !super::docker::is_missing(&run) => {
            return Err(fault(&run, attempt));
        }
        _ => {}
    }
    match ask_for(attempt, ["volume", "inspect", "--format", "{{.Name}}", volume.as_str()])? {
        None => Ok(()),
        Some(_) => Err(Fault::new(Exit::Failed, attempt).cause("the engine still has it")),
    }
}
