//! Starts containers in waves: each as soon as what its service needs holds, and not a moment later. Whether it holds is
//! asked of the services themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use plan::{Condition, Container, Exit, Fault, Health, Outcome, Said, ServiceName, Stack, stack, words};

use super::docker::docker;
use super::inspect::{self, Inspected, PROJECT};
use super::probe::Check;
use super::{Context, failure, ready};
use crate::program::Run;

/// Starts these services, and waits until the awaited ones answer.
///
/// # Errors
/// One has no container, does not start, ends, or does not answer in time.
pub(super) fn start(
    context: &Context<'_>,
    services: &[ServiceName],
    awaited: &[ServiceName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let given_up = AtomicBool::new(false);
    let (tell, told) = channel();
    let mut waves = Waves::new(context, services, awaited)?;
    thread::scope(|scope| {
        let done = waves.run(scope, &given_up, &tell, &told, said);
        given_up.store(true, Ordering::Relaxed);
        done
    })?;
    Ok(waves.outcome())
}

/// What a service's own thread tells.
enum Told {
    Started(ServiceName),
    /// It answers, or did its work.
    Answers(ServiceName),
    /// With the last lines of its log.
    Failed(Fault, Vec<String>),
}

/// What one service waits for, and what is waited for of it.
struct Node {
    containers: Vec<Container>,
    starts: bool,
    /// Somebody waits for its answer: we do, or a service that needs it.
    answers: Option<Check>,
    needs: Vec<(ServiceName, Condition)>,
}

struct Waves<'a> {
    context: &'a Context<'a>,
    waiting: BTreeMap<ServiceName, Node>,
    total: u64,
    begun: Instant,
    busy: usize,
    started: BTreeSet<ServiceName>,
    answered: Vec<(ServiceName, Duration)>,
    /// Services of which a container was started: the others are as they should be.
    changed: BTreeSet<ServiceName>,
}

impl<'a> Waves<'a> {
    fn new(
        context: &'a Context<'a>,
        services: &[ServiceName],
        awaited: &[ServiceName],
    ) -> Result<Self, Fault> {
        let all: BTreeSet<&ServiceName> = services.iter().chain(awaited).collect();
        let compose = &context.engine.compose;
        let ours = fresh(context, &all)?
            .into_iter()
            .map(|one| one.container)
            .filter(|one| !one.one_off && stack(one, compose, &context.workspace.root) == Stack::Ours);
        let ours: Vec<Container> = ours.collect();
        let needs = |name: &ServiceName| {
            let described = compose.services.iter().find(|service| service.name == *name);
            let needs = described.into_iter().flat_map(|service| &service.depends);
            let needs = needs.filter(|needs| all.contains(&needs.service));
            needs.map(|needs| (needs.service.clone(), needs.condition)).collect::<Vec<_>>()
        };
        let needed: Vec<(ServiceName, Condition)> = services
            .iter()
            .flat_map(&needs)
            .filter(|(_, condition)| *condition != Condition::Started)
            .collect();
        let mut waiting = BTreeMap::new();
        for name in &all {
            let own = ours.iter().filter(|one| one.service.as_ref() == Some(name));
            let containers: Vec<Container> = own.cloned().collect();
            let Some(first) = containers.first() else { return Err(ready::absent(context, name.as_str())) };
            let url = context.config.ready.get(name.as_str()).map(String::as_str);
            // The server is awaited by a login, which init's own server does not take.
            let is_database = compose.database.as_ref() == Some(name);
            let of = |condition| needed.contains(&((*name).clone(), condition));
            let answers = if of(Condition::Completed) {
                Some(Check::Ends)
            } else if (awaited.contains(name) || of(Condition::Healthy)) && !is_database {
                Some(Check::of(first, url))
            } else {
                None
            };
            let starts = services.contains(name);
            let needs = if starts { needs(name) } else { Vec::new() };
            waiting.insert((*name).clone(), Node { containers, starts, answers, needs });
        }
        let total =
            waiting.values().map(|node| u64::from(node.starts) + u64::from(node.answers.is_some())).sum();
        let (begun, started, answered) = (Instant::now(), BTreeSet::new(), Vec::new());
        Ok(Self { context, waiting, total, begun, busy: 0, started, answered, changed: BTreeSet::new() })
    }

    fn run<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        given_up: &'scope AtomicBool,
        tell: &Sender<Told>,
        told: &Receiver<Told>,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<(), Fault>
    where
        'a: 'scope,
    {
        loop {
            while let Some((name, node)) = self.next() {
                self.busy += 1;
                if node.starts && node.containers.iter().any(|one| !one.running) {
                    self.changed.insert(name.clone());
                }
                let (context, tell) = (self.context, tell.clone());
                scope.spawn(move || one(context, &name, &node, given_up, &tell));
            }
            if self.busy == 0 {
                break;
            }
            let Ok(told) = told.recv() else { break };
            self.hear(told, said)?;
        }
        match self.waiting.keys().next() {
            None => Ok(()),
            Some(first) => Err(Fault::new(Exit::Usage, format!("`{first}` waits for itself"))
                .cause("what it depends on depends on it")
                .hint("take one of them out of depends_on in the compose file")),
        }
    }

    /// A service whose conditions hold now.
    fn next(&mut self) -> Option<(ServiceName, Node)> {
        let holds = |(needs, condition): &(ServiceName, Condition)| match condition {
            Condition::Started => self.started.contains(needs),
            Condition::Healthy | Condition::Completed => self.answered.iter().any(|(name, _)| name == needs),
        };
        let ready = self.waiting.iter().find(|(_, node)| node.needs.iter().all(holds));
        let name = ready.map(|(name, _)| name.clone())?;
        self.waiting.remove(&name).map(|node| (name, node))
    }

    fn hear(&mut self, told: Told, said: &mut dyn FnMut(Said<'_>)) -> Result<(), Fault> {
        match told {
            Told::Started(name) => {
                self.started.insert(name);
            }
            Told::Answers(name) => {
                self.busy -= 1;
                said(Said::Line(&format!("{name} after {}", words::took(self.begun.elapsed()))));
                self.answered.push((name, self.begun.elapsed()));
            }
            Told::Failed(fault, lines) => {
                for line in &lines {
                    said(Said::Line(line));
                }
                return Err(fault);
            }
        }
        let done = (self.started.len() + self.answered.len()) as u64;
        said(Said::Progress { done: done.min(self.total), total: self.total });
        Ok(())
    }

    /// The services in the order in which they answered.
    fn outcome(&self) -> Outcome {
        if self.changed.is_empty() {
            return Outcome::idle("they ran");
        }
        let told = self.answered.iter().filter(|(name, _)| self.changed.contains(name));
        let told = told.map(|(name, took)| format!("{name} {}", words::took(*took)));
        Outcome::detail(told.collect::<Vec<_>>().join(", "))
    }
}

/// The project's containers as they are now. Where none of the services is made anew, those that were found are all.
fn fresh(context: &Context<'_>, services: &BTreeSet<&ServiceName>) -> Result<Vec<Inspected>, Fault> {
    let engine = context.engine;
    if services.iter().all(|name| engine.made.contains(name)) {
        let is_wanted = |one: &&Container| one.service.as_ref().is_some_and(|name| services.contains(name));
        return inspect::by_id(
            engine.containers.iter().filter(is_wanted).map(|one| one.id.clone()).collect(),
        );
    }
    inspect::containers(&[format!("label={PROJECT}={}", engine.compose.project)])
}

/// One service: starts what does not run of it, and waits for its answer where somebody does.
fn one(context: &Context<'_>, name: &ServiceName, node: &Node, given_up: &AtomicBool, tell: &Sender<Told>) {
    let mut lines = Vec::new();
    let stopped = || given_up.load(Ordering::Relaxed);
    let done = begin(context, name, node).and_then(|()| {
        // Whoever listened has ended with another service's fault.
        let _ = tell.send(Told::Started(name.clone()));
        let Some(check) = &node.answers else { return Ok(()) };
        // What Docker itself saw a moment ago need not be asked for again.
        let mut asked = node.containers.iter().filter(|one| !(check.is_command() && is_healthy(one)));
        asked.try_for_each(|container| {
            let mut said = |said: Said<'_>| {
                if let Said::Line(line) = said {
                    lines.push(line.to_owned());
                }
            };
            let check = check.on(container);
            ready::answers(context, name.as_str(), container, check, &stopped, &mut said).map(|_| ())
        })
    });
    let _ = tell.send(match done {
        Ok(()) => Told::Answers(name.clone()),
        Err(fault) => Told::Failed(fault, lines),
    });
}

/// It ran when it was looked at, and its healthcheck had passed.
fn is_healthy(container: &Container) -> bool {
    container.running && container.health == Health::Healthy
}

fn begin(context: &Context<'_>, name: &ServiceName, node: &Node) -> Result<(), Fault> {
    let idle: Vec<&str> =
        node.containers.iter().filter(|one| !one.running).map(|one| one.name.as_str()).collect();
    if !node.starts || idle.is_empty() {
        return Ok(());
    }
    match docker(["start"].into_iter().chain(idle)).unstoppable().output() {
        Ok(_) => Ok(()),
        Err(Run::Failed { said, .. }) => Err(failure::of_start(context, name, &said)),
        Err(run) => Err(super::docker::fault(&run, format!("`{name}` was not started"))),
    }
}
