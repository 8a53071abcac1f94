//! In which order services start: what a service depends on comes before it.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Service, ServiceName};

/// These services and all that they depend on.
pub(crate) fn closure(wanted: &[ServiceName], services: &[Service]) -> BTreeSet<ServiceName> {
    let mut found = BTreeSet::new();
    let mut left: Vec<ServiceName> = wanted.to_vec();
    while let Some(name) = left.pop() {
        let described = services.iter().find(|service| service.name == name);
        if found.insert(name) {
            left.extend(
                described.into_iter().flat_map(|one| &one.depends).map(|needs| needs.service.clone()),
            );
        }
    }
    found
}

/// The services in groups: each group needs only the groups before it. What depends on itself comes last, for Compose
/// to refuse.
pub(crate) fn levels(wanted: &BTreeSet<ServiceName>, services: &[Service]) -> Vec<Vec<ServiceName>> {
    let needs: BTreeMap<&ServiceName, Vec<&ServiceName>> = services
        .iter()
        .filter(|service| wanted.contains(&service.name))
        .map(|service| {
            let needs =
                service.depends.iter().map(|needs| &needs.service).filter(|name| wanted.contains(name));
            (&service.name, needs.collect())
        })
        .collect();
    let mut left: Vec<&ServiceName> = wanted.iter().collect();
    let mut levels: Vec<Vec<ServiceName>> = Vec::new();
    while !left.is_empty() {
        let waits = |name: &&ServiceName| {
            needs.get(name).is_some_and(|needs| needs.iter().any(|need| left.contains(need)))
        };
        let (waiting, next): (Vec<_>, Vec<_>) = left.iter().copied().partition(|name| waits(name));
        if next.is_empty() {
            levels.push(waiting.into_iter().cloned().collect());
            break;
        }
        levels.push(next.into_iter().cloned().collect());
        left = waiting;
    }
    levels
}

/// Services that depend on one of these, directly or through others.
pub(crate) fn dependents(of: &ServiceName, services: &[Service]) -> BTreeSet<ServiceName> {
    let needs = |service: &&Service| {
        service.name != *of && closure(std::slice::from_ref(&service.name), services).contains(of)
    };
    services.iter().filter(needs).map(|service| service.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{name, service};

    #[test]
    fn what_is_needed_comes_first() {
        let services = [
            service("db", &[]),
            service("cache", &[]),
            service("api", &["db"]),
            service("work", &["api", "cache"]),
        ];

        let wanted = closure(&[name("work")], &services);

        let levels = levels(&wanted, &services);
        assert_eq!(levels, [vec![name("cache"), name("db")], vec![name("api")], vec![name("work")]]);
    }

    #[test]
    fn a_circle_ends() {
        let services = [service("a", &["b"]), service("b", &["a"])];

        assert_eq!(levels(&closure(&[name("a")], &services), &services), [vec![name("a"), name("b")]]);
    }

    #[test]
    fn dependents_are_found_through_others() {
        let services =
            [service("db", &[]), service("api", &["db"]), service("work", &["api"]), service("cache", &[])];

        assert_eq!(dependents(&name("db"), &services), BTreeSet::from([name("api"), name("work")]));
    }
}
