//! Volumes: how big they are, when they were last written, and which is which. Seen from inside a short-lived
//! container, since nobody but the engine may read its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use plan::{Exit, Fault, Volume, VolumeName};

use super::docker::{ask, change, docker, fault};
use super::inspect::{self, Inspected, PROJECT};
use crate::program::Run;
use crate::records::Records;

/// Labels on what we make beside the user's own volumes.
pub(super) mod label {
    pub(in crate::engine) const WORKSPACE: &str = "dev.cleanslate.workspace";
    pub(in crate::engine) const KIND: &str = "dev.cleanslate.kind";
    pub(in crate::engine) const OF: &str = "dev.cleanslate.of";
    pub(in crate::engine) const NUMBER: &str = "dev.cleanslate.n";
    pub(in crate::engine) const HELPER: &str = "dev.cleanslate.helper";
}

/// A short-lived container: no network, no name of the user's, and an image that is already there.
#[derive(Debug)]
pub(super) struct Helper<'a> {
    pub image: &'a str,
    /// Volume, folder, whether it may write.
    pub mounts: Vec<(&'a VolumeName, String, bool)>,
    pub script: &'a str,
}

impl Helper<'_> {
    /// Runs the script and hands on what it says.
    ///
    /// # Errors
    /// The image is gone or has no shell, or the script failed.
    pub fn run(&self, said: &mut dyn FnMut(&str)) -> Result<(), Run> {
        let name = format!("cleanslate-{}-{}", std::process::id(), Timestamp::now().as_nanosecond());
        let marked = format!("{}=1", label::HELPER);
        let mut words: Vec<String> =
            ["create", "--pull", "never", "--network", "none", "--user", "0", "--workdir", "/"]
                .map(str::to_owned)
                .into();
        words.extend(["--label".to_owned(), marked, "--name".to_owned(), name.clone()]);
        for (volume, target, writes) in &self.mounts {
            let readonly = if *writes { "" } else { ",readonly" };
            words.push("--mount".to_owned());
            words.push(format!("type=volume,source={volume},target={target},volume-nocopy{readonly}"));
        }
        words.extend(["--entrypoint", "sh", self.image, "-c", self.script].map(str::to_owned));
        // Made and started apart: an interrupted `run` may leave a container that is made after we looked for it.
        change(words.iter().map(String::as_str))?;
        let run = docker(["start", "--attach", &name]).lines(said);
        // Our client's end does not end the container.
        let removed = change(["rm", "-f", "-v", &name]);
        run.and(removed.map(|_| ()))
    }
}

/// Without our own containers whose run was killed: nobody waits for them, and what they mount would seem to be in use. They
/// are removed.
pub(super) fn without_abandoned(all: Vec<Inspected>) -> Vec<Inspected> {
    let is_abandoned = |one: &Inspected| one.helps && !is_waited_for(one.container.name.as_str());
    let (abandoned, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_abandoned);
    for one in abandoned {
        // One that stays is told as what mounts the volume.
        let _ = change(["rm", "-f", "-v", one.container.name.as_str()]);
    }
    rest
}

/// Whether the process that a helper is named after still runs.
fn is_waited_for(name: &str) -> bool {
    let process = name.strip_prefix("cleanslate-").and_then(|rest| rest.split('-').next());
    process
        .is_none_or(|process| !Path::new("/proc/self").exists() || Path::new("/proc").join(process).exists())
}

/// What our records say of a volume that the engine named: no other ever has that name.
pub(super) const UNNAMED: &str = "unnamed";
/// What they say of one that we make again from its copy, until it is complete.
pub(super) const RESTORED: &str = "restored";

/// What one look into the volumes tells.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub copier: Option<String>,
    pub free: Option<u64>,
    by_volume: BTreeMap<VolumeName, One>,
}

#[derive(Debug, Clone)]
struct One {
    /// With the time it was made: an inode alone is soon given to the next folder. busybox does not tell that time.
    inode: Option<String>,
    bytes: u64,
    last_write: Option<Timestamp>,
    /// Empty, or not completely copied.
    half: bool,
}

/// `stat -c` and `df -P` are what GNU and busybox have in common. The fields of `df` are split by the shell.
const MEASURE: &str = r#"
for folder in /v/*; do
  [ -d "$folder" ] || continue
  size=$(du -sk "$folder" | cut -f1)
  written=$(find "$folder" -type f -exec stat -c %Y {} + 2>/dev/null | sort -rn | head -n1)
  state=whole
  if [ -e "$folder/.cleanslate-unfinished" ] || [ -z "$(ls -A "$folder")" ]; then state=half; fi
  echo "volume ${folder#/v/} $(stat -c '%i.%W' "$folder") $size ${written:-0} $state"
done
where=/; [ -d /v/0 ] && where=/v/0
set -- $(df -Pk "$where" | tail -n1)
echo "free $4"
"#;

/// Looks into volumes with the first of these images that is there, has a shell, and tells when a folder was made; else
/// with the first that has a shell.
///
/// # Errors
/// Interrupted, or the engine is down. No image that can look is no error.
pub(super) fn measure(names: &[&VolumeName], images: &[String]) -> Result<Measured, Fault> {
    let mut fallback = None;
    for image in images {
        let mounts = names.iter().zip(0..).map(|(name, at)| (*name, format!("/v/{at}"), false)).collect();
        let mut measured = Measured::default();
        let run = Helper { image, mounts, script: MEASURE }.run(&mut |line| measured.read(line, names));
        match run {
            Ok(()) => {
                let measured = Measured { copier: Some(image.clone()), ..measured };
                if measured.by_volume.values().all(|one| one.inode.is_some()) {
                    return Ok(measured);
                }
                fallback = fallback.or(Some(measured));
            }
            Err(run) => {
                let fault = fault(&run, "the volumes were not measured");
                // An image without a shell is no reason to stop; an engine that went is.
                if !matches!(run, Run::Failed { .. }) || fault.exit == Exit::NotReady {
                    return Err(fault);
                }
            }
        }
    }
    Ok(fallback.unwrap_or_default())
}

impl Measured {
    fn read(&mut self, line: &str, names: &[&VolumeName]) {
        let words: Vec<&str> = line.split(' ').collect();
        let kibibytes = |text: &str| text.parse::<u64>().ok().map(|number| number * 1024);
        match words.as_slice() {
            ["free", free] => self.free = kibibytes(free),
            ["volume", at, inode, size, written, state] => {
                let name = at.parse::<usize>().ok().and_then(|at| names.get(at));
                if let (Some(name), Some(bytes)) = (name, kibibytes(size)) {
                    let second = written.parse().ok().filter(|second| *second > 0);
                    let last_write = second.and_then(|second| Timestamp::from_second(second).ok());
                    let made = inode.split_once('.').and_then(|(_, made)| made.parse::<u64>().ok());
                    let inode = made.filter(|made| *made > 0).map(|_| format!("inode {inode}"));
                    self.by_volume
                        .insert((*name).clone(), One { inode, bytes, last_write, half: *state == "half" });
                }
            }
            _ => {}
        }
    }
}

/// Engines before 23 tell the time of the last change in a volume's folder as the time it was made.
pub(super) fn tells_when_made() -> Result<bool, Fault> {
    let version = ask("the engine's version was not read", ["version", "--format", "{{.Server.Version}}"])?;
    let major = version.trim().split('.').next().and_then(|major| major.parse::<u32>().ok());
    // Other engines that speak Docker's language number themselves differently, and tell it right.
    Ok(major.is_none_or(|major| !(17..23).contains(&major)))
}

/// Completes volumes with what only a look inside tells, and with what we recorded about them.
///
/// # Errors
/// The engine does not answer.
pub(super) fn complete(
    volumes: &mut [Volume],
    mounted: &BTreeSet<&str>,
    images: &[String],
    sizes: bool,
    records: &Records,
) -> Result<Measured, Fault> {
    // A record matters where neither a container nor Compose's label tells whose a volume is.
    let in_doubt =
        |volume: &Volume| !mounted.contains(volume.name.as_str()) || !volume.labels.contains_key(PROJECT);
    let in_doubt =
        volumes.iter().any(|volume| records.has_made(&volume.name) && !volume.anonymous && in_doubt(volume));
    let restored = volumes.iter().any(|volume| records.made(&volume.name) == Some(RESTORED));
    let by_inode = (sizes || in_doubt) && !volumes.is_empty() && !tells_when_made()?;
    let measured = if sizes || by_inode || restored {
        let names: Vec<&VolumeName> = volumes.iter().map(|volume| &volume.name).collect();
        measure(&names, images)?
    } else {
        Measured::default()
    };
    for volume in volumes {
        if let Some(one) = measured.by_volume.get(&volume.name) {
            volume.bytes = Some(one.bytes).filter(|_| sizes);
            volume.last_write = one.last_write.filter(|_| sizes);
            if let (true, Some(inode)) = (by_inode, &one.inode) {
                volume.created.clone_from(inode);
            }
        }
        let made = records.made(&volume.name);
        volume.recorded = made == Some(volume.created.as_str())
            || made == Some(RESTORED)
            || (volume.anonymous && made == Some(UNNAMED));
        // One that somebody mounted is no longer only what we left.
        let measured = measured.by_volume.get(&volume.name);
        volume.half = made == Some(RESTORED)
            && !mounted.contains(volume.name.as_str())
            && measured.is_some_and(|one| one.half);
    }
    Ok(measured)
}

/// What tells this volume from a later one of its name; `None` when there is no such volume.
///
/// # Errors
/// The engine does not answer.
pub(super) fn identity(name: &VolumeName, images: &[String]) -> Result<Option<String>, Fault> {
    let found = inspect::volumes(vec![name.to_string()])?;
    let Some(volume) = found.into_iter().next() else { return Ok(None) };
    if tells_when_made()? {
        return Ok(Some(volume.created));
    }
    let measured = measure(&[name], images)?;
    Ok(Some(measured.by_volume.get(name).and_then(|one| one.inode.clone()).unwrap_or(volume.created)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_is_waited_for_while_its_run_lives() {
        assert!(is_waited_for(&format!("cleanslate-{}-17", std::process::id())));
        assert!(!is_waited_for("cleanslate-4194305-17"), "no process has a number above the kernel's limit");
        assert!(is_waited_for("somebody"));
    }

    #[test]
    fn a_look_inside_is_read() {
        let name = VolumeName::new("shop_data").unwrap();
        let mut measured = Measured::default();

        for line in ["volume 0 12.34 2048 1700000000 whole", "free 100", "sh: some warning"] {
            measured.read(line, &[&name]);
        }

        let one = &measured.by_volume[&name];
        assert_eq!((one.inode.as_deref(), one.bytes), (Some("inode 12.34"), 2 << 20));
        assert_eq!(one.last_write, Timestamp::from_second(1_700_000_000).ok());
        assert_eq!(measured.free, Some(102_400));
        measured.read("volume 0 12.W 2048 0 whole", &[&name]);
        assert_eq!(measured.by_volume[&name].inode, None);
    }
}
