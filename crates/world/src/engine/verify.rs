//! Looks again, right before a step and after a failure.

use plan::{Exit, Expect, Fault, KeptPlace, Stack, VolumeName, stack};

use super::docker::ask_for;
use super::{Context, actions, inspect, volumes};
use crate::records::Records;

/// # Errors
/// What the plan expects does not hold any more.
pub(crate) fn verify(context: &Context<'_>, expect: &Expect) -> Result<(), Fault> {
    match expect {
        Expect::Container { name, id } => {
            let words = ["container", "inspect", "--format", "{{.Id}}", name.as_str()];
            match ask_for("the container was not looked at", words)? {
                Some(now) if now.trim() == id => Ok(()),
                Some(_) => Err(changed(format!("container `{name}` is another one now"))),
                None => Err(changed(format!("container `{name}` is gone"))),
            }
        }
        Expect::Volume { name, created } => volume(context, name, created),
        Expect::NoVolume { name } => {
            if inspect::volumes(vec![name.to_string()])?.is_empty() {
                Ok(())
            } else {
                Err(changed(format!("there is a volume `{name}` now")))
            }
        }
        Expect::Copied { volume, copy } => copied(context, volume, copy),
        Expect::Database { .. }
        | Expect::NoDatabase { .. }
        | Expect::NoMoreRows { .. }
        | Expect::Server { .. } => Err(Fault::new(Exit::Failed, "the engine knows no databases")),
    }
}

fn changed(what: String) -> Fault {
    Fault::new(Exit::Refused, what).cause("it was otherwise when the plan was made")
}

fn volume(context: &Context<'_>, name: &VolumeName, created: &str) -> Result<(), Fault> {
    // An older engine's time changes with the contents, so there only an inode is worth comparing.
    if created.starts_with("inode ") || volumes::tells_when_made()? {
        match actions::identity(context, name)? {
            Some(now) if now == created => {}
            Some(_) => return Err(changed(format!("volume `{name}` is another one now"))),
            None => return Err(changed(format!("volume `{name}` is gone"))),
        }
    } else if inspect::volumes(vec![name.to_string()])?.is_empty() {
        return Err(changed(format!("volume `{name}` is gone")));
    }
    let users = inspect::containers(&[format!("volume={name}")])?.into_iter().map(|one| one.container);
    let is_ours =
        |one: &plan::Container| stack(one, &context.engine.compose, &context.workspace.root) == Stack::Ours;
    match users.into_iter().find(|one| !is_ours(one)) {
        None => Ok(()),
        Some(other) => Err(changed(format!("container `{}` mounts volume `{name}` now", other.name))),
    }
}

fn copied(context: &Context<'_>, volume: &VolumeName, copy: &VolumeName) -> Result<(), Fault> {
    let records = Records::read(context.workspace)?;
    let of = records.copy(copy).and_then(|kept| match &kept.place {
        KeptPlace::Volume { of, .. } => Some(of),
        KeptPlace::Cluster { .. } => None,
    });
    if of == Some(volume) && !inspect::volumes(vec![copy.to_string()])?.is_empty() {
        return Ok(());
    }
    Err(Fault::new(Exit::Failed, format!("volume `{volume}` has no complete copy"))
        .cause(format!("`{copy}` is not there, or was never compared")))
}

/// Names under which a volume's data stands whole: its own, and those of its complete copies.
///
/// # Errors
/// The engine does not answer.
pub(crate) fn look(context: &Context<'_>, volume: &VolumeName) -> Result<Vec<String>, Fault> {
    let kept = Records::read(context.workspace)?.kept();
    let copies = kept.into_iter().rev().filter_map(|kept| match kept.place {
        KeptPlace::Volume { copy, of, .. } if of == *volume => Some(copy.to_string()),
        _ => None,
    });
    let names = std::iter::once(volume.to_string()).chain(copies).collect();
    Ok(inspect::volumes(names)?.into_iter().map(|volume| volume.name.shown().to_owned()).collect())
}
