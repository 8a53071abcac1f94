//! slate-migrate: the project's own migrations, whatever its tool, in one vocabulary.

mod draft;
mod release;
mod review;
mod scratch;
mod told;

use clap::{Parser, ValueEnum};
use plan::{
    Action, Config, Database, Exit, Expect, Fact, Fault, Plan, Reading, Revision, Revisions, Server, Step,
    Tool, Undo, Wants, World, guard,
};
use shell::{Command, Shared};

use review::Review;

/// Applies, writes, reviews and releases migrations, in the same words for every tool
///
/// The tool stays the project's own: alembic, sqlx, a folder of SQL files or a configured command. What loses rows keeps
/// a copy of the database first, which slate-undo brings back.
#[derive(Debug, Parser)]
#[command(
    name = "slate-migrate",
    version,
    after_help = "\
Examples:
  slate-migrate                        applied, pending, edited; exits with 10 when not clean
  slate-migrate new 'add notes'        the next one, from the models where that can be had
  slate-migrate up                     apply what is pending
  slate-migrate baseline --from models the one initial migration, written anew

It touches this workspace's database and migration files alone; a file is written or removed only once it was shown."
)]
pub struct Migrate {
    /// What to do
    #[arg(value_enum, default_value = "status", hide_default_value = true)]
    verb: Verb,
    /// The revision for up, review, freeze; how many for down; the name for new
    #[arg(value_name = "WHAT")]
    what: Option<String>,
    /// With baseline: what it is written from [default: migrations]
    #[arg(long, value_name = "SIDE", hide_possible_values = true)]
    from: Option<From>,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verb {
    /// Applied, pending, edited since, several heads
    Status,
    /// Every migration, the newest last
    History,
    /// Apply what is pending, up to WHAT
    Up,
    /// Take the last one back, or the last WHAT; a copy is kept
    Down,
    /// Write the next one, called WHAT
    New,
    /// What the pending ones, or WHAT, would do: locks, rewrites, lost rows
    Review,
    /// Write the whole schema as one migration in the place of all; asks
    Baseline,
    /// The newest, or WHAT, is released: editing it is an error from here
    Freeze,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    Migrations,
    Models,
    Live,
}

impl Command for Migrate {
    const NAME: &'static str = "slate-migrate";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        let works = matches!(self.verb, Verb::Up | Verb::Down | Verb::New | Verb::Baseline);
        Wants {
            databases: true,
            contents: if works { Reading::Rows } else { Reading::Nothing },
            blueprint: true,
            lock: works || self.verb == Verb::Freeze,
            running: works,
            revisions: true,
            draft: true,
            ..Wants::default()
        }
    }

    fn prepare(&self, config: &Config, world: &World) -> Result<Option<Plan>, Fault> {
        let chain = chain(world)?;
        let tool = config.migrations.tool;
        match self.verb {
            Verb::New => self.name().and_then(|name| draft::revision(config, world, chain, name)).map(Some),
            Verb::Baseline => {
                draft::baseline(config, world, chain, self.from.unwrap_or(From::Migrations)).map(Some)
            }
            Verb::Up | Verb::Review if tool == Some(Tool::Alembic) => {
                let targets = self.reviewed(chain)?;
                Ok(draft::statements(world, chain, &targets))
            }
            _ => Ok(None),
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let chain = chain(world)?;
        match self.verb {
            Verb::Status => Ok(told::status(config, world, chain)),
            Verb::History => Ok(told::history(chain)),
            Verb::Up => self.up(config, world, chain),
            Verb::Down => self.down(config, world, chain),
            Verb::New => draft::write(world),
            Verb::Review => {
                let reviewed = self.reviewed(chain)?;
                Ok(told::review(&reviewed, &Self::look(config, world, &reviewed)))
            }
            Verb::Baseline => draft::replace(config, world, chain, self.from.unwrap_or(From::Migrations)),
            Verb::Freeze => release::freeze(world, chain, self.what.as_deref()),
        }
    }
}

impl Migrate {
    fn name(&self) -> Result<&str, Fault> {
        let name = self.what.as_deref().filter(|name| !plan::slug(name).is_empty());
        name.ok_or_else(|| {
            usage("the new migration has no name").hint("slate-migrate new 'add notes to saved searches'")
        })
    }

    /// What `up` would apply, and `review` looks at: the pending ones, or the newest where none is.
    fn reviewed<'a>(&self, chain: &'a Revisions) -> Result<Vec<&'a Revision>, Fault> {
        let Some(name) = &self.what else {
            let pending: Vec<&Revision> = chain.pending().collect();
            let newest = || chain.files.last().into_iter().collect();
            let none = pending.is_empty() && self.verb == Verb::Review;
            return Ok(if none { newest() } else { pending });
        };
        let wanted = found(chain, name)?;
        if self.verb == Verb::Review {
            return Ok(vec![wanted]);
        }
        let last = chain.files.iter().position(|file| file.id == wanted.id).unwrap_or(0);
        Ok(chain.files.iter().take(last + 1).filter(|file| !file.applied).collect())
    }

    /// What their statements do, as far as these can be had.
    fn look(config: &Config, world: &World, files: &[&Revision]) -> Review {
        let mut review = Review::default();
        match config.migrations.tool {
            Some(Tool::Sqlx | Tool::Sql) => {
                for file in files {
                    review.add(Review::of(&file.text, &file.path));
                }
            }
            Some(Tool::Alembic) if !files.is_empty() => {
                match world.draft.as_ref().and_then(|draft| draft.sql.as_ref()) {
                    Some(sql) => review.add(Review::of(sql, "SQL")),
                    None => {
                        review
                            .unclear
                            .push("alembic does not tell the statements (upgrade --sql)".to_owned());
                    }
                }
            }
            _ if files.is_empty() => {}
            _ => review.unclear.push("the command does not tell its statements".to_owned()),
        }
        review
    }

    fn up(&self, config: &Config, world: &World, chain: &Revisions) -> Result<Plan, Fault> {
        let (server, live) = live(world)?;
        guard::unedited(world)?;
        one_head(chain, world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        let pending = self.reviewed(chain)?;
        if !chain.told && config.migrations.tool == Some(Tool::Sql) {
            return Err(Fault::new(
                Exit::Refused,
                format!("`{}` does not tell which files it was built with", live.name),
            )
            .cause("no record of them is in it, and Postgres knows nothing of files")
            .state("nothing was changed")
            .hint(world.workspace.command("rebuild")));
        }
        edited(&mut plan, chain, world);
        if pending.is_empty() && chain.told {
            plan.facts.push(Fact::new("pending", "nothing"));
            return Ok(plan);
        }
        plan.target = format!("Migrate {} up", live.name);
        plan.facts.extend(pending.iter().map(|file| Fact::new("applies", line(file))));
        let review = Self::look(config, world, &pending);
        plan.facts.extend(review.facts());
        // Rows that nobody has can't be lost.
        let rows = live.contents.as_ref().is_none_or(|contents| contents.rows.count > 0);
        let adds = review.only_adds() || !rows;
        let upgrade = Action::Upgrade { database: live.name.clone(), to: self.target(chain), adds };
        let mut step = Step::new(upgrade, "they are pending").weight(8);
        if !adds {
            step = self.kept(&mut plan, world, (server, live), "migrate up", step);
        }
        let is_live = Expect::Database { name: live.name.clone(), oid: live.oid };
        plan.steps.push(step.expects(is_live));
        if self.target(chain).is_none() {
            let note = Action::NoteBlueprint { database: live.name.clone() };
            plan.steps.push(Step::new(note, "it is of these files from here on"));
        }
        plan.question = format!("Migrate {} up?", live.name);
        let last = pending.last().map_or("the newest", |file| file.id.as_str());
        plan.closing.insert(0, format!("`{}` is at {last}", live.name));
        Ok(plan)
    }

    /// The revision to stop at; `None` for the newest.
    fn target(&self, chain: &Revisions) -> Option<String> {
        let wanted = chain.find(self.what.as_deref()?)?;
        (chain.files.last() != Some(wanted)).then(|| wanted.id.clone())
    }

    fn down(&self, config: &Config, world: &World, chain: &Revisions) -> Result<Plan, Fault> {
        let (server, live) = live(world)?;
        guard::unedited(world)?;
        one_head(chain, world)?;
        let count: usize = match self.what.as_deref().unwrap_or("1").parse() {
            Ok(count) if count > 0 => count,
            _ => return Err(usage("`down` takes a number of migrations").hint("slate-migrate down 2")),
        };
        let tool = config.migrations.tool;
        if !matches!(tool, Some(Tool::Alembic | Tool::Sqlx)) {
            return Err(usage("these migrations have no way down")
                .cause("neither a folder of SQL files nor a command says how to take one back")
                .hint(world.workspace.command("undo")));
        }
        let applied: Vec<&Revision> = chain.files.iter().filter(|file| file.applied).collect();
        let rest = applied.len().checked_sub(count).ok_or_else(|| {
            usage(format!("only {} applied", plan::words::count(applied.len() as u64, "migration")))
        })?;
        let (stays, goes) = applied.split_at(rest);
        let bottom = if tool == Some(Tool::Alembic) { "base" } else { "0" };
        let target = stays.last().map_or_else(|| bottom.to_owned(), |file| file.id.clone());
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.target = format!("Migrate {} down", live.name);
        plan.facts.extend(goes.iter().rev().map(|file| Fact::new("takes back", line(file))));
        let down = Action::Downgrade { database: live.name.clone(), target };
        let step = Step::new(down, "it was asked for").weight(8);
        let step = self.kept(&mut plan, world, (server, live), "migrate down", step);
        plan.steps.push(step.expects(Expect::Database { name: live.name.clone(), oid: live.oid }));
        plan.question = format!("Migrate {} down?", live.name);
        let at = stays.last().map_or("nothing", |file| file.id.as_str());
        plan.closing.insert(0, format!("`{}` is at {at}", live.name));
        Ok(plan)
    }

    /// What is at stake, and the copy that takes it back, unless none is wanted.
    fn kept(
        &self,
        plan: &mut Plan,
        world: &World,
        (server, live): (&Server, &Database),
        by: &str,
        step: Step,
    ) -> Step {
        match &live.contents {
            Some(contents) => {
                plan.facts.push(Fact::new("in it", contents.line(world.now)));
                plan.loss.databases.push(contents.clone());
            }
            None => plan.loss.unread.push(live.name.to_string()),
        }
        if self.shared.no_undo {
            plan.facts.push(Fact::new("no way back", "--no-undo keeps nothing"));
            return step;
        }
        let kept = scratch::keep(plan, world, server, live, by);
        step.undo(Undo::Elsewhere { name: kept.to_string() })
    }
}

fn usage(error: impl Into<String>) -> Fault {
    Fault::new(Exit::Usage, error).state("nothing was changed")
}

fn chain(world: &World) -> Result<&Revisions, Fault> {
    world.revisions.as_ref().ok_or_else(|| {
        usage("there are no migrations").hint("set migrations.tool and migrations.dir in cleanslate.toml")
    })
}

fn found<'a>(chain: &'a Revisions, name: &str) -> Result<&'a Revision, Fault> {
    chain.find(name).ok_or_else(|| usage(format!("there is no migration `{name}`, or more than one")))
}

/// The live database, which has to be this workspace's own.
fn live(world: &World) -> Result<(&Server, &Database), Fault> {
    let server = guard::writable(world)?;
    let live = world.live().ok_or_else(|| {
        Fault::new(Exit::NotReady, format!("there is no database `{}`", server.name))
            .state("nothing was changed")
            .hint(world.workspace.command("up"))
    })?;
    guard::own_database(live, &world.workspace)?;
    Ok((server, live))
}

/// With two ends nobody knows which one is meant.
fn one_head(chain: &Revisions, world: &World) -> Result<(), Fault> {
    let heads: Vec<&str> = chain.heads().map(|file| file.id.as_str()).collect();
    let odd = |error: String| Fault::new(Exit::Refused, error).state("nothing was changed");
    if let Some(parent) = chain.missing.first() {
        return Err(
            odd(format!("revision {parent} is missing")).cause("another one follows it, and no file is it")
        );
    }
    if let Some(unknown) = chain.unknown.first() {
        return Err(odd(format!("the database is at {unknown}, which no file here is"))
            .cause("it is another branch's, or its file is gone")
            .hint(world.workspace.command("switch")));
    }
    if heads.len() > 1 {
        return Err(
            odd(format!("there are {} heads: {}", heads.len(), heads.join(", "))).hint("alembic merge heads")
        );
    }
    Ok(())
}

/// What an edit of something that is applied needs, since applying does nothing about it.
fn edited(plan: &mut Plan, chain: &Revisions, world: &World) {
    for file in chain.files.iter().filter(|file| file.edited) {
        let rebuild = world.workspace.command("rebuild");
        plan.facts.push(Fact::new("edited", format!("{} since it was applied: {rebuild}", file.path)));
    }
}

/// A migration in one line.
fn line(file: &Revision) -> String {
    let title = if file.title.is_empty() { String::new() } else { format!("  {}", file.title) };
    format!("{}{title}  {}", file.id, file.path)
}

#[cfg(test)]
mod tests;
